package proxy

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"kmproxy/keys"
)

// account is what one request has of a Budget: reserved bytes, and buffers. It is for
// one goroutine, except where shares.go says otherwise.
type account struct {
	budget  *Budget
	from    netip.Prefix
	conn    string // the connection, by its remote address and port
	since   time.Time
	buffers []buffer
	shared  bool // the buffers may still be read by others

	received atomic.Int64 // bytes of the body

	// Guarded by the budget's mutex.
	bytes      int64
	project    keys.ASPID // empty: nothing on this connection was verified yet
	prev, next *account   // of the same network, while it is not verified
	givenUp    bool

	mu     sync.Mutex
	writer http.ResponseWriter // nil: the request has ended
	slow   bool                // given up because the body came too slowly
}

// Errors of an account.
var (
	errGivenUp   = errors.New("the memory for requests that are not verified yet is full") // and another request needs this one's
	errShareUsed = errors.New("the project's share of the memory for bodies is used up")
	errSlowBody  = errors.New("the body came too slowly")
)

// take reserves bytes more. It is refused where the request's share is used up.
func (a *account) take(bytes int64) error {
	b := a.budget
	b.mu.Lock()
	victims, err := b.reserve(a, bytes)
	b.mu.Unlock()
	for _, v := range victims {
		v.giveUp(false)
	}
	return err
}

// owe reserves bytes that are needed to finish a request. It never fails, because the
// upstream's answer must be sent.
func (a *account) owe(bytes int64) {
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	a.budget.add(a, bytes)
}

// verified moves the request from the share of its network to that of a project.
func (a *account) verified(id keys.ASPID) error {
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	if a.givenUp {
		return errGivenUp
	}
	if a.project != id {
		a.budget.move(a, id)
	}
	a.budget.known.add(a.conn, id, time.Now())
	return nil
}

// end gives everything back.
func (a *account) end() {
	a.mu.Lock()
	a.writer = nil
	a.mu.Unlock()
	a.keep(nil)
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	a.budget.remove(a)
}

// keep gives back all buffers but the one in which kept begins.
func (a *account) keep(kept []byte) {
	rest := a.buffers[:0]
	freed := int64(0)
	for _, l := range a.buffers {
		if cap(kept) > 0 && &l.bytes[:1][0] == &kept[:1][0] {
			rest = append(rest, l)
			continue
		}
		freed += int64(len(l.bytes))
		if !a.shared {
			a.budget.buffers.put(l)
		}
	}
	a.buffers = rest
	a.owe(-freed)
}

// allocate returns n bytes, which are reserved as by owe until the account ends.
func (a *account) allocate(n int) []byte {
	l := a.budget.buffers.get(n)
	a.owe(int64(len(l.bytes)))
	a.buffers = append(a.buffers, l)
	return l.bytes[:n:n]
}

// readAll reads to the end. It begins with little memory, whatever length was
// declared, and takes four times as much whenever that is full, up to what was
// declared. Some bytes are left after the body to see its end, to pad it, and for
// what sealing it adds.
func (a *account) readAll(from io.Reader, declared int64) ([]byte, error) {
	const first, times, spare = 3584, 4, 512 // the first two are one buffer of 4 KiB
	body, err := a.grow(nil, int(min(max(declared, 0), first))+spare)
	for err == nil {
		if len(body) == cap(body) {
			most := max(declared+spare, 2*int64(len(body)))
			if body, err = a.grow(body, int(min(most, times*int64(len(body))))); err != nil {
				break
			}
		}
		var n int
		n, err = from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		a.received.Store(int64(len(body)))
	}
	if err != io.EOF {
		return nil, err
	}
	last := &a.buffers[len(a.buffers)-1]
	last.used = min(len(body)+spare, last.used) // the rest was never written to, and need not be cleared
	return body[:len(body):last.used], nil
}

// grow returns body in a new buffer for n bytes, and gives its old one back.
func (a *account) grow(body []byte, n int) ([]byte, error) {
	if err := a.take(int64(bufferSize(n))); err != nil {
		return nil, err
	}
	l := a.budget.buffers.get(n)
	grown := append(l.bytes[:0:n], body...)
	if cap(body) > 0 {
		old := a.buffers[len(a.buffers)-1]
		a.buffers = a.buffers[:len(a.buffers)-1]
		old.used = len(body)
		a.budget.buffers.put(old)
		a.owe(-int64(len(old.bytes)))
	}
	a.buffers = append(a.buffers, l)
	return grown, nil
}

// giveUp wakes the request's goroutine, whatever it waits for.
func (a *account) giveUp(slow bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.slow = slow
	if a.writer == nil {
		return
	}
	past, c := time.Unix(1, 0), http.NewResponseController(a.writer)
	// a writer without deadlines is a test's own
	_ = errors.Join(c.SetReadDeadline(past), c.SetWriteDeadline(time.Now().Add(lastWords)))
}

// lastWords is how long a request that was given up may take to read its answer.
const lastWords = time.Second

// wasGivenUp returns why the request was given up, or nil if it was not.
func (a *account) wasGivenUp() error {
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	if !a.givenUp {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.slow {
		return errSlowBody
	}
	return errGivenUp
}
