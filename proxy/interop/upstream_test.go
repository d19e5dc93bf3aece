package interop_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

// exchange is one request as the upstream saw it, and what it answered.
type exchange struct{ body, answer []byte }

// exchanges remembers what the upstream saw, by correlation id. It is safe for
// concurrent use.
type exchanges struct {
	mu   sync.Mutex
	seen map[string]exchange
}

func (e *exchanges) find(correlationID string) (exchange, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, ok := e.seen[correlationID]
	return x, ok
}

// start runs a proxy with the routes of calls. Its upstream answers each body
// with one of its own around it, so that an answer is as odd as its request and
// no other's.
func start(t *testing.T) (*proxytest.Proxy, *exchanges) {
	t.Helper()
	p := proxytest.Start(t, func(c *proxy.Config) {
		c.Routes = nil
		for _, r := range routes {
			c.Routes = append(c.Routes, proxy.Route{Method: http.MethodPost, Path: r.path, PadBytes: r.padBytes,
				Request: proxy.BodyEncrypted, Response: proxy.BodyEncrypted})
		}
	})
	e := &exchanges{seen: map[string]exchange{}}
	p.Upstream.Handle(func(w http.ResponseWriter, r *http.Request) {
		body := p.Upstream.Last(t).Body // clients make one call after the other
		x := exchange{body: body, answer: slices.Concat([]byte("\t{ \"response\" :"), body, []byte(",\"code\":\"000_000\"}\r\n"))}
		e.mu.Lock()
		e.seen[r.Header.Get(kona.HeaderCorrelationID)] = x
		e.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(x.answer) // a client that misses some of it says so
	})
	return p, e
}
