package proxy_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// TestOverload: when no place for a private-key operation comes free in time,
// encrypted requests are told to come again; plain ones are served all the while.
func TestOverload(t *testing.T) {
	w := &world{Proxy: proxytest.Start(t, func(c *proxy.Config) { c.RSAWorkers, c.QueueTime = 2, time.Millisecond })}
	w.Proxy.Proxy.FillPool()
	for range 3 {
		w.try(t, row{base: sealedRequest, want: overloaded}, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
		w.try(t, row{base: plainRequest, want: passes}, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
	}
}

// TestQueue: more requests than places are all served, one behind the other.
func TestQueue(t *testing.T) {
	p := proxytest.Start(t, func(c *proxy.Config) { c.RSAWorkers = 1 })
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
