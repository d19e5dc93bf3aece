package listen

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"kmproxy/proxy/origin"
)

// Limits bound the connections of one listener. Zero: as many as there are.
type Limits struct {
	Conns           int // in all
	ConnsPerAddress int // of one IPv4 address, or one IPv6 network of 64 bits
	FreshPerAddress int // of those, without a request yet, in their handshake or after it
}

// connTable counts a listener's connections from the moment that they are accepted.
// When it is full, the longest idle connection of the network with the most connections
// is closed, and if that network has no idle one, one with an unfinished request and
// nothing verified. So clients that hold many connections, also by slow requests, do
// not keep a new address out. It is safe for concurrent use.
type connTable struct {
	limits  Limits
	reserve func() bool // memory for one more connection; may be nil
	release func()

	mu        sync.Mutex
	count     int
	networks  map[netip.Prefix]*network
	evictable evictableNetworks
}

func newConnTable(c Config) *connTable {
	return &connTable{limits: c.Limits, reserve: c.Reserve, release: c.Release, networks: map[netip.Prefix]*network{}}
}

// add counts an accepted connection. If there is no room for it, add closes it and
// returns false.
func (t *connTable) add(conn net.Conn, trusted origin.Trusted) (*tableConn, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &tableConn{Conn: conn, table: t}
	t.place(c, address(conn.RemoteAddr()), trusted)
	t.enforceLimits(c)
	if !c.gone && t.reserve != nil {
		t.reserveMemory(c)
	}
	return c, !c.gone
}

// move counts a connection under the address that its PROXY header names. If there is
// no room for it there, move closes it and returns false.
func (t *connTable) move(c *tableConn, peer net.Addr, trusted origin.Trusted) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.gone {
		return false
	}
	t.uncount(c)
	c.peer = peer
	t.place(c, address(peer), trusted)
	t.enforceLimits(c)
	return !c.gone
}

// place counts a connection in the network of a. The bounds of one address do not
// apply to a trusted proxy, because its connections are of many clients.
func (t *connTable) place(c *tableConn, a netip.Addr, trusted origin.Trusted) {
	p := origin.Network(a)
	n := t.networks[p]
	if n == nil {
		n = &network{prefix: p, at: notInHeap}
		t.networks[p] = n
	}
	t.count++
	n.count++
	n.trusted = trusted.Has(a)
	c.network = n
	c.listIn(&n.fresh)
	t.evictable.update(n)
}

// enforceLimits closes a connection, which may be c, if c exceeds a limit.
func (t *connTable) enforceLimits(c *tableConn) {
	n := c.network
	switch {
	case !n.trusted && over(n.fresh.Len(), t.limits.FreshPerAddress):
		t.evict(n.fresh.Front().Value.(*tableConn))
	case !n.trusted && over(n.count, t.limits.ConnsPerAddress):
		t.evict(n.candidate()) // c itself, if all others are being answered
	case over(t.count, t.limits.Conns):
		t.evict(t.victim(c))
	}
}

// reserveMemory reserves memory for c. If there is none, c gets the memory of a
// connection that is closed for it.
func (t *connTable) reserveMemory(c *tableConn) {
	if c.reserved = t.reserve(); c.reserved {
		return
	}
	if v := t.victim(c); v != c {
		c.reserved, v.reserved = v.reserved, false
		t.evict(v)
	}
	if !c.reserved {
		t.evict(c)
	}
}

// victim returns the connection to close for c: the candidate of the network with the
// most connections, among the networks that have a candidate. It is c itself if no
// network with as many connections as its own has another candidate.
func (t *connTable) victim(c *tableConn) *tableConn {
	first := t.evictable[0] // not empty: c is fresh
	if first.candidate() != c {
		return first.candidate()
	}
	for _, n := range t.evictable[1:min(len(t.evictable), 3)] { // the next in order is one of these
		if n.count >= first.count {
			return n.candidate()
		}
	}
	return c
}

// stateChanged is the ConnState of an http.Server.
func (t *connTable) stateChanged(conn net.Conn, s http.ConnState) {
	c := tableConnOf(conn)
	t.mu.Lock()
	defer t.mu.Unlock()
	if c == nil || c.gone || s == http.StateNew {
		return
	}
	switch s {
	case http.StateActive:
		c.unlist()
		if !c.known {
			c.listIn(&c.network.unverified)
		}
	case http.StateIdle:
		c.unlist()
		c.listIn(&c.network.idle)
	case http.StateClosed, http.StateHijacked:
		t.removeLocked(c)
		return
	}
	t.evictable.update(c.network)
}

// answered records that a connection had its last answer and is open only for the
// client to read it. It may be closed like an idle one.
func (t *connTable) answered(c *tableConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.gone {
		return
	}
	c.unlist()
	c.listIn(&c.network.idle)
	t.evictable.update(c.network)
}

// verified records that a request on a connection was verified. While the connection
// has a request it is not closed for others.
func (t *connTable) verified(c *tableConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.gone || c.known {
		return
	}
	c.known = true
	if c.list == &c.network.unverified {
		c.unlist()
		t.evictable.update(c.network)
	}
}

// remove removes a connection that ended before an http.Server had it.
func (t *connTable) remove(c *tableConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(c)
}

// evict closes a connection without a TLS alert, which would wait for a client that
// does not read. The caller holds mu.
func (t *connTable) evict(c *tableConn) {
	t.removeLocked(c)
	_ = c.Conn.Close() // its error does not matter any more
}

// removeLocked removes a connection. The caller holds mu.
func (t *connTable) removeLocked(c *tableConn) {
	if c.gone {
		return
	}
	c.gone = true
	t.uncount(c)
	if c.reserved {
		c.reserved = false
		t.release()
	}
}

// uncount takes a connection out of its network.
func (t *connTable) uncount(c *tableConn) {
	c.unlist()
	t.count--
	n := c.network
	n.count--
	t.evictable.update(n)
	if n.count == 0 {
		delete(t.networks, n.prefix)
	}
}

// waitEmpty waits until all connections are closed, for at most that long. net/http
// drops a request whose header arrives after Shutdown, and a connection whose last
// answer did not announce the end may send one.
func (t *connTable) waitEmpty(most time.Duration) {
	const look = 10 * time.Millisecond
	for end := time.Now().Add(most); t.len() > 0 && time.Now().Before(end); {
		time.Sleep(look)
	}
}

func (t *connTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

func over(n, limit int) bool { return limit > 0 && n > limit }

// address returns the IP address of a, or the zero Addr.
func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}
