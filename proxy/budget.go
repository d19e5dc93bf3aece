package proxy

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy/origin"
)

// What a Budget counts for memory that it does not allocate itself. Both are a little
// more than was measured.
const (
	perRequest    = 24 << 10 // bytes: goroutine, headers, the protocol's own state
	perConnection = 48 << 10 // bytes: TLS, buffers, goroutines
)

// Budget bounds the memory that callers make the process hold: connections,
// requests in flight and the bodies of requests and answers. It counts what is
// reserved, not what has arrived, and it allocates the memory of bodies.
//
// A request that is not verified yet has its memory out of a share of a quarter.
// Where that share is full, the oldest unverified request of the network that
// holds most is given up, so that a network that holds little always gets in. A
// verified project may reserve as much as is still free, so that each of n
// projects gets 1/(n+1) and no project keeps another out.
//
// A connection on which a project was verified recently belongs to that project: the
// next request on it is reserved from the project's share, which unverified requests do
// not use.
//
// It is safe for concurrent use.
type Budget struct {
	most    int64
	buffers bufferPool

	mu       sync.Mutex
	held     int64 // by everything
	conns    int64 // of held, by connections
	waiting  int64 // of held, by unverified requests
	leaving  int64 // of held, by requests that were given up and have not ended yet
	networks map[netip.Prefix]network
	projects map[keys.ASPID]project
	sweeping bool
	known    connections
}

// network is what the unverified requests of one origin hold, the oldest first.
type network struct {
	bytes       int64
	leaving     int64 // of those that were given up and have not ended yet, not in bytes
	first, last *account
}

// project is what the verified requests of one project hold.
type project struct {
	bytes    int64
	requests int
}

// NewBudget allows that many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{most: bytes, networks: map[netip.Prefix]network{}, projects: map[keys.ASPID]project{}, known: connections{}}
}

// Held returns how many bytes are reserved now.
func (b *Budget) Held() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// Connect reserves the memory of one connection, and reports whether there was
// enough: connections get half of the budget at most. Each success must be
// followed by one Disconnect.
func (b *Budget) Connect() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conns+perConnection > b.most/2 || b.held+perConnection > b.most {
		return false
	}
	b.conns += perConnection
	b.held += perConnection
	return true
}

// Disconnect gives back what Connect reserved.
func (b *Budget) Disconnect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns -= perConnection
	b.held -= perConnection
}

// begin opens the account of a request that is not verified yet. Its end must be
// called, whether or not there was memory for the request itself.
func (b *Budget) begin(w http.ResponseWriter, from netip.Addr, conn string) (*account, error) {
	a := &account{budget: b, from: origin.Network(from), conn: conn, since: time.Now(), writer: w}
	b.mu.Lock()
	if id := b.known.project(conn, a.since); id != "" {
		a.project = id
		b.projects[id] = project{b.projects[id].bytes, b.projects[id].requests + 1}
	}
	b.mu.Unlock()
	return a, a.take(perRequest)
}
