package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"kmproxy/proxy/caller"
)

// sent are bodies that were sent once, by the name of the request in them.
type sent struct {
	mu     sync.Mutex
	bodies map[string][]byte
}

// TestReplayAfterKills kills the service at any moment, or stops it, while calls run:
// what reached the upstream is refused by the next process, and nothing reaches it
// twice.
func TestReplayAfterKills(t *testing.T) {
	rounds := 6
	if long() {
		rounds = 60
	}
	u := newUpstream(t)
	g := newGateway(t, u.URL, "")
	p := newProvider(t, g, 1)
	processed, refused := 0, 0
	g.start(t)
	for round := range rounds {
		all := p.callUntilEnd(t, g, round)
		g.start(t)
		p.connect(t, g.roots(t))
		for id, body := range all {
			before := u.times(id)
			x, err := p.Send(t.Context(), arsPath, body)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case before == 1 && x.Status == http.StatusConflict:
				processed++
			case before == 0 && x.Status == http.StatusConflict:
				refused++ // the process ended between the claim and the call
			case before == 0 && x.Status == http.StatusOK:
			default:
				t.Errorf("request %s, which the upstream saw %d times: status %d", id, before, x.Status)
			}
		}
	}
	g.stop(t)
	if once, more := u.count(); more > 0 || processed == 0 {
		t.Errorf("of %d requests the upstream saw %d more than once; %d were refused", once, more, processed)
	}
	t.Logf("%d ends: %d processed requests were refused afterwards, and %d that were not processed", rounds, processed, refused)
}

// callUntilEnd calls from four sides and ends the service after a few answers.
func (p *provider) callUntilEnd(t *testing.T, g *gateway, round int) map[string][]byte {
	t.Helper()
	p.connect(t, g.roots(t))
	ctx, cancel := context.WithCancel(t.Context())
	all, answered := &sent{bodies: map[string][]byte{}}, make(chan struct{}, 1000)
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				p.sendOnce(ctx, all, fmt.Sprint(round, "/", worker, "/", n))
				select {
				case answered <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 1 + rand.IntN(60) {
		<-answered
	}
	if round%3 == 2 {
		g.stop(t)
	} else {
		g.kill(t)
	}
	cancel()
	workers.Wait()
	return all.bodies
}

func (p *provider) sendOnce(ctx context.Context, all *sent, id string) {
	body, err := p.Encrypt(request(id))
	if err != nil {
		return
	}
	all.mu.Lock()
	all.bodies[id] = body
	all.mu.Unlock()
	_, _ = p.Send(ctx, arsPath, body) // it may end early
}

// kill ends the service as nothing else does.
func (g *gateway) kill(t *testing.T) {
	t.Helper()
	child := g.child
	g.child = nil
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
}

// TestUnsentMayComeAgainAfterARestart: what the upstream never saw, because it took no
// connection, may be sent again, also to the next process.
func TestUnsentMayComeAgainAfterARestart(t *testing.T) {
	address := freeAddress(t)
	g := newGateway(t, "http://"+address, "")
	p := newProvider(t, g, 1)
	g.start(t)
	p.connect(t, g.roots(t))
	body, err := p.Encrypt(request("once"))
	if err != nil {
		t.Fatal(err)
	}
	if x := p.mustSend(t, body); x.Status != http.StatusBadGateway {
		t.Errorf("without an upstream: status %d", x.Status)
	}
	g.kill(t)
	u := upstreamAt(t, address)
	for _, want := range []int{http.StatusOK, http.StatusConflict} {
		g.start(t)
		p.connect(t, g.roots(t))
		if x := p.mustSend(t, body); x.Status != want {
			t.Errorf("status %d, want %d", x.Status, want)
		}
		g.stop(t)
	}
	if n := u.times("once"); n != 1 {
		t.Errorf("the upstream saw it %d times", n)
	}
}

func (p *provider) mustSend(t *testing.T, body []byte) caller.Exchange {
	t.Helper()
	x, err := p.Send(t.Context(), arsPath, body)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func upstreamAt(t *testing.T, address string) *upstream {
	t.Helper()
	u := &upstream{seen: map[string]int{}, open: map[net.Conn]bool{}}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	u.Server = httptest.NewUnstartedServer(http.HandlerFunc(u.serve))
	_ = u.Listener.Close()
	u.Listener = l
	u.Start()
	t.Cleanup(u.Close)
	return u
}
