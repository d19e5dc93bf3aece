// Package upstream is the way to the plaintext servers: which of them takes a
// request, who is passed over, and whether a request that failed was sent at all.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// ErrUnsent reports a request of which not a byte was written to any server: it
// did not happen, and may be made again.
var ErrUnsent = errors.New("the request was not sent")

// Ejection of a server that fails requests.
const (
	failuresInARow = 3
	ejection       = 5 * time.Second
)

// Config is what a Pool works with. All of it must be set.
type Config struct {
	URLs      []*url.URL        // at least one; of unix, its path is the socket's; others differ in scheme, host and port alone
	Transport http.RoundTripper // a Client with connections by a Counted Dialer, or nothing is known to be unsent
	Now       func() time.Time
}

// Pool is an http.RoundTripper over several servers. A request goes to the one
// with the fewest requests pending. It is sent to another, or over another
// connection, only if not a byte of it was written, so that none is done twice.
// It is safe for concurrent use.
type Pool struct {
	c       Config
	servers []*server
	turn    atomic.Uint64 // whose turn it is among equals
}

// New makes a Pool in which everybody counts as well.
func New(c Config) (*Pool, error) {
	if len(c.URLs) == 0 || c.Transport == nil || c.Now == nil {
		return nil, errors.New("upstream: URLs, transport and clock must be set")
	}
	p := &Pool{c: c}
	for _, u := range c.URLs {
		p.servers = append(p.servers, &server{url: u})
	}
	return p, nil
}

// mostStale is how many connections may turn out to have been closed at rest.
const mostStale = 3

// RoundTrip implements http.RoundTripper. The request's body must be a *Body.
// Errors: ErrUnsent with what came in between, or that of the transport.
func (p *Pool) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := r.Body.(*Body)
	if !ok {
		return nil, fmt.Errorf("upstream: a body of %T", r.Body)
	}
	tried, stale := map[*server]bool{}, 0
	for {
		s, x := p.pick(tried), &attempt{}
		answer, err := x.send(p.c.Transport, s, r, body)
		if err == nil {
			s.well()
			return answer, nil
		}
		sent := !x.unsent()
		switch {
		case errors.Is(r.Context().Err(), context.Canceled): // the client went away, which says nothing about the server
		case sent || !x.reused:
			s.failed(p.c.Now())
		}
		if sent {
			return nil, err
		}
		if x.reused && stale < mostStale {
			stale++ // it had been closed at rest: neither does that
		} else {
			tried[s] = true
		}
		if r.Context().Err() != nil || len(tried) == len(p.servers) {
			return nil, fmt.Errorf("%w: %w", ErrUnsent, err)
		}
	}
}

// attempt is a request on its way to one server. It goes as the request's body, by
// which a Client can tell it what became of it.
type attempt struct {
	*Body
	began  bool  // a Client has it, not another transport
	conn   *conn // over which it goes; nil: over none yet, or one that does not count
	since  int64 // what was written to conn by others
	reused bool
	got    bool
}

func (x *attempt) send(t http.RoundTripper, s *server, r *http.Request, body *Body) (*http.Response, error) {
	x.Body = NewBody(body.content)
	to := *r.URL
	to.Scheme, to.Host = s.place()
	out := *r
	out.URL, out.Body = &to, x
	s.pending.Add(1)
	answer, err := t.RoundTrip(&out)
	if err != nil {
		s.pending.Add(-1)
		return nil, err
	}
	answer.Body = &counting{answer.Body, s, false}
	return answer, nil
}

// on is called before the request is written, by the goroutine that sends it.
func (x *attempt) on(l *link) {
	x.got, x.reused = true, l.used
	if c, ok := counted(l.conn); ok {
		x.conn, x.since = c, c.count()
	}
}

// unsent reports whether nothing was written. If so, nothing will be.
func (x *attempt) unsent() bool {
	return x.began && (!x.got || x.conn != nil && x.conn.freeze(x.since))
}

// counting is an answer's body, whose end is the request's.
type counting struct {
	io.ReadCloser
	server *server
	closed bool
}

func (c *counting) Close() error {
	if !c.closed {
		c.closed = true
		c.server.pending.Add(-1)
	}
	return c.ReadCloser.Close()
}
