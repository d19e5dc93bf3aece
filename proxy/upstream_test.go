package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kmproxy/proxy"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

// repeats is an upstream that answers a request with what it said. One that says
// late is answered after its caller has stopped waiting.
func repeats(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what is missing shows in the answer
	if r.URL.RawQuery == "late" {
		<-r.Context().Done()
	}
	id := r.Header.Get(kona.HeaderCorrelationID)
	_, _ = io.WriteString(w, said(id, body)) // who left hears nothing
}

func said(id string, body []byte) string { return id + " said " + string(body) }

// TestEveryoneGetsHisOwnAnswer: many callers of two projects share the proxy, its
// connections to the upstream and its places for private keys, and some of them
// leave, or time out. None ever gets the answer to another request.
func TestEveryoneGetsHisOwnAnswer(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(repeats))
	t.Cleanup(upstream.Close)
	w := newWorld(t, func(c *proxy.Config) {
		c.Upstreams, c.UpstreamTime, c.Queue = []*url.URL{must(url.Parse(upstream.URL))}, 2*time.Second, onePlace()
	})
	const callers, rounds = 8, 12
	var all sync.WaitGroup
	for i := range callers {
		c := []*caller.Caller{w.Caller, w.draining, w.foreign}[i%3]
		all.Go(func() {
			for round := range rounds {
				w.callAs(t, c, i, round)
			}
		})
	}
	all.Wait()
	if good, late := w.Outcomes.Code(""), w.Outcomes.Code("900_011"); good < callers*rounds/2 || late < callers {
		t.Errorf("%d answers, %d timeouts", good, late)
	}
}

// callAs makes one call that no other makes: most are to be answered, one in six
// is given up, one of all rounds is answered late.
func (w *world) callAs(t *testing.T, c *caller.Caller, i, round int) {
	body := fmt.Appendf(nil, `{"userId":%d}`, 9_000_000_000_000_000_000+uint64(1000*i+round))
	path, ctx := proxytest.ARSPath, t.Context()
	leaves, late := round%6 == 3, round == 7
	if leaves {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(i+1)*time.Millisecond)
		defer cancel()
	}
	if late {
		path += "?late"
	}
	call := c.Call
	if round%2 == 0 {
		call = c.Send
	}
	x, err := call(ctx, path, body)
	switch {
	case leaves && errors.Is(err, context.DeadlineExceeded):
	case err != nil:
		t.Errorf("caller %d, round %d: %v", i, round, err)
	case late:
		if x.Status != upstreamTimedOut.status || string(x.AnswerBody) != upstreamTimedOut.body() {
			t.Errorf("caller %d timed out and got %d %s", i, x.Status, x.AnswerBody)
		}
	default:
		id := x.RequestHeader[kona.Written(kona.HeaderCorrelationID)][0]
		if got := strings.TrimRight(string(x.Plaintext), " "); x.Status != http.StatusOK || got != said(id, body) {
			t.Errorf("caller %d, round %d got %d %q", i, round, x.Status, got)
		}
	}
}
