package proxy_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
	"kmproxy/proxy/queue"
)

// TestOverload: when no place for a private-key operation comes free in time,
// encrypted requests get "overloaded"; plain ones are still served.
func TestOverload(t *testing.T) {
	w := &world{Proxy: proxytest.Start(t, func(c *proxy.Config) { c.Queue = hasty() })}
	w.Proxy.Proxy.FillPool()
	for range 3 {
		w.try(t, row{base: sealedRequest, want: overloaded}, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
		w.try(t, row{base: plainRequest, want: passes}, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
	}
}

// TestQueue: more requests than places are all served, one behind the other.
func TestQueue(t *testing.T) {
	p := proxytest.Start(t, func(c *proxy.Config) { c.Queue = onePlace() })
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			x, err := p.Caller.Call(t.Context(), proxytest.ARSPath, []byte(plaintext))
			if err != nil || x.Status != http.StatusOK || !x.Encrypted {
				t.Errorf("status %d, encrypted %t, %v", x.Status, x.Encrypted, err)
			}
		})
	}
	all.Wait()
	if p.Upstream.Calls() != 20 {
		t.Errorf("the upstream was called %d times", p.Upstream.Calls())
	}
}

// onePlace is a queue for one private-key operation at a time, with room for all.
func onePlace() *queue.Queue {
	return queue.New(queue.Config{Places: 1, Depth: 1000, Wait: 30 * time.Second})
}

// hasty returns a queue in which no request waits long.
func hasty() *queue.Queue {
	return queue.New(queue.Config{Places: 2, Depth: 1000, Wait: time.Millisecond})
}

// TestBudget: bodies that do not fit in what is left are refused, the upstream's
// as well as the client's, and everything comes back at the end of a request.
func TestBudget(t *testing.T) {
	for what, tt := range map[string]struct {
		budget int
		want   want
		calls  int
	}{
		"enough":            {1 << 20, passes, 20},
		"not for a request": {8 << 10, overloaded, 0},
	} {
		t.Run(what, func(t *testing.T) {
			w := &world{Proxy: proxytest.Start(t, func(c *proxy.Config) { c.Budget = proxy.NewBudget(int64(tt.budget)) })}
			for range 20 {
				w.try(t, row{base: sealedRequest, want: tt.want}, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
			}
			if n := w.Upstream.Calls(); n != tt.calls {
				t.Errorf("the upstream was called %d times", n)
			}
		})
	}
}
