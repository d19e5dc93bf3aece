package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFaults breaks the connections between the proxy and its upstream, and then
// those of the clients. Every call ends in its own right answer or in the right
// error, and none reaches the upstream twice.
func TestFaults(t *testing.T) {
	const workers = 16
	each := 20
	if long() {
		each = 334 // 15 poisons in two places: 10,020 calls
	}
	u, x := newUpstream(t), newToxiproxy(t)
	behind := x.between(t, "upstream", strings.TrimPrefix(u.URL, "http://"))
	g := newGateway(t, "http://"+behind, "timeout = \"400ms\"\n")
	front := x.between(t, "proxy", g.public)
	p := newProvider(t, g, 1)
	g.start(t)                                              // for its CA
	p.connect(t, g.roots(t)).conns.DisableKeepAlives = true // each call meets the poison anew
	g.stop(t)
	through := *p
	through.URL = "https://" + front
	// an answer may be lost on the way to a client who gives up; 3 s is more than any poison takes
	through.HTTP = &http.Client{Transport: p.conns, Timeout: 3 * time.Second}

	calls, answered := 0, 0
	for _, place := range []struct {
		name    string
		timeout string // of the upstream: short where it is poisoned; where it is well, a busy machine is no reason for a 504
		by      *provider
		errors  func(o *outcome) bool
	}{
		{"upstream", "400ms", p, func(o *outcome) bool { return o.err == nil && (o.status == 502 || o.status == 504) }},
		{"proxy", "1m", &through, func(o *outcome) bool { return o.err != nil }},
	} {
		g.configure(t, "http://"+behind, fmt.Sprintf("timeout = %q\n", place.timeout))
		g.start(t)
		for _, poison := range poisons() {
			cure := x.poison(t, place.name, poison)
			all := crowdOf(place.by, workers, each, fmt.Sprint(place.name, poison))
			cure()
			right, wrong := 0, 0
			for _, o := range all {
				switch times := u.times(o.id); {
				case times > 1:
					t.Errorf("%s of the %s: call %s reached the upstream %d times", poison, place.name, o.id, times)
				case o.right && times == 1:
					right++
				case !o.right && place.errors(o):
					wrong++
				default:
					t.Errorf("%s of the %s: call %s: status %d, %v, %d times at the upstream: %.200s", poison, place.name, o.id, o.status, o.err, times, o.body)
				}
			}
			calls, answered = calls+len(all), answered+right
			t.Logf("%-8s %-75s %5d answered, %5d ended in the right error", place.name, poison, right, wrong)
		}
		tries := 0
		soon(t, "cured, a call is answered", func() bool {
			tries++
			return p.outcome(fmt.Sprint("cured ", place.name, tries)).right
		})
		g.stop(t)
	}
	t.Logf("%d calls, %d answered, none twice at the upstream", calls, answered)
}

// outcome is how one call ended for its client.
type outcome struct {
	id     string
	right  bool // the very answer that the upstream gave to it
	status int
	body   []byte
	err    error
}

// crowdOf makes calls by many workers at once.
func crowdOf(p *provider, workers, count int, name string) []*outcome {
	all := make([]*outcome, count)
	var crowd sync.WaitGroup
	for w := range workers {
		crowd.Go(func() {
			for i := w; i < count; i += workers {
				all[i] = p.outcome(fmt.Sprint(name, "/", i))
			}
		})
	}
	crowd.Wait()
	return all
}

func (p *provider) outcome(id string) *outcome {
	o := &outcome{id: id}
	body, err := p.Encrypt(request(id))
	if err != nil {
		o.err = err
		return o
	}
	x, err := p.Send(context.Background(), arsPath, body)
	o.status, o.body, o.err = x.Status, x.AnswerBody, err
	o.right = err == nil && x.Status == http.StatusOK && x.Encrypted && strings.TrimRight(string(x.Plaintext), " ") == answerTo(id)
	return o
}

// times is how often a call reached the upstream.
func (u *upstream) times(id string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen[id]
}
