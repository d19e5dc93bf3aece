package proxy_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/keys"
	"kmproxy/proxy"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/proxytest"
	"kmproxy/proxy/replay"
)

// slow is an upstream that answers on demand, behind a proxy that allows eight pending
// calls.
type slow struct {
	*world
	calls            *proxy.Calls
	opened           atomic.Int64 // requests that a private key was used for
	release, arrived chan struct{}
	pending          sync.WaitGroup
}

func newSlow(t *testing.T) *slow {
	s := &slow{calls: proxy.NewCalls(8), release: make(chan struct{}), arrived: make(chan struct{}, 8)}
	s.world = newWorld(t, func(c *proxy.Config) {
		c.Calls = s.calls
		c.Replay, c.ReplayWindow = replay.New(replay.Limits{Entries: 1000, PerProject: 500}), time.Hour
		c.Used = func(_ keys.ASPID, _ keys.KeyID, d keys.Direction, _ alg.Suite) {
			if d == keys.Request {
				s.opened.Add(1)
			}
		}
	})
	s.Upstream.Handle(func(a http.ResponseWriter, _ *http.Request) {
		s.arrived <- struct{}{}
		<-s.release
		_, _ = io.WriteString(a, "{}") // what got lost shows at the caller
	})
	return s
}

// holds makes that many calls, which are pending when it returns.
func (s *slow) holds(t *testing.T, c *caller.Caller, calls int) {
	for range calls {
		s.pending.Go(func() {
			if x, err := c.Call(t.Context(), proxytest.ARSPath, []byte(plaintext)); err != nil || x.Status != http.StatusOK {
				t.Errorf("a call of %s: %d, %v", c.ASPID, x.Status, err)
			}
		})
		<-s.arrived
	}
}

// TestSlowCallsOfOneProject: a project whose calls are slow holds half of those that
// may be pending. Its next one is refused before a private key is used and may come
// again; the calls of others succeed, and always leave room for another one.
func TestSlowCallsOfOneProject(t *testing.T) {
	s := newSlow(t)
	third := s.project(t, "000000000000004")
	s.holds(t, s.Caller, 4)
	again := sealedRequest(s.world)
	for range 2 {
		got := s.overHTTP1(t, again.bytes())
		if got.status != overloaded.status || got.body != overloaded.body() || got.header.Get("Retry-After") == "" {
			t.Errorf("one call too many: %d %s %q", got.status, got.body, got.header)
		}
	}
	if n := s.opened.Load(); n != 4 {
		t.Errorf("%d requests were opened", n)
	}
	s.holds(t, s.foreign, 2)
	if x, err := s.foreign.Call(t.Context(), proxytest.ARSPath, []byte(plaintext)); err != nil || x.Status != overloaded.status {
		t.Errorf("one call too many of another project: %d, %v", x.Status, err)
	}
	s.holds(t, third, 1)
	close(s.release)
	s.pending.Wait()
	if got := s.overHTTP1(t, again.bytes()); got.status != http.StatusOK || s.calls.Pending() != 0 {
		t.Errorf("afterwards: %d %s, %d pending", got.status, got.body, s.calls.Pending())
	}
}
