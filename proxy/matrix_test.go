package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwe"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/proxy"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

// statuses are an upstream's, with what the contract makes of them.
var statuses = []struct {
	status            int
	text              string
	success, bodiless bool
}{
	{200, proxytest.Answer, true, false},
	{200, "", true, false},
	{201, proxytest.Answer, true, false},
	{204, "", true, true},
	{301, "", false, false},
	{301, "moved", false, false},
	{304, "", false, true},
	{404, proxytest.Answer, false, false},
	{500, "", false, false},
	{500, "Internal Server Error", false, false},
}

// TestStatusesOfEveryMode: which answers are sealed follows from the route's
// modes, the request and the status alone, and a bodiless one never is.
func TestStatusesOfEveryMode(t *testing.T) {
	w := newWorld(t, func(c *proxy.Config) { c.Routes = append(c.Routes, modeRoutes()...) })
	callers := kinds(t, w)
	tried, sealed := 0, 0
	for _, s := range statuses {
		w.Upstream.Answer(s.status, []byte(s.text))
		for _, r := range modeRoutes() {
			for _, k := range callers {
				toSeal := r.Response == proxy.BodyEncrypted || r.Response == proxy.BodyEither && k.encrypted
				if r.Request != proxy.BodyEither || toSeal && k.answerKey == "" {
					continue // refused before the upstream: TestModes
				}
				tried++
				want := toSeal && !s.bodiless && (s.success || r.EncryptErrors)
				if want {
					sealed++
				}
				x, err := k.call(t.Context(), r.Path)
				if err != nil {
					t.Fatal(err)
				}
				if x.Status != s.status || x.Encrypted != want || strings.TrimRight(string(x.Plaintext), " ") != s.text {
					t.Errorf("%s %s, %d %q: got %d, encrypted %t, %q", r.Path, k.name, s.status, s.text, x.Status, x.Encrypted, x.Plaintext)
				}
				checkNamed(t, x, k)
			}
		}
	}
	if tried < 400 || sealed < 100 || tried-sealed < 100 {
		t.Errorf("%d combinations, %d of them sealed", tried, sealed)
	}
}

// checkNamed: a sealed answer names its key, and no other does.
func checkNamed(t *testing.T, x caller.Exchange, k kind) {
	t.Helper()
	want := ""
	if x.Encrypted {
		want = string(k.answerKey)
	}
	if got := x.AnswerHeader.Get("X-KM-Crypto-Key-Id"); got != want {
		t.Errorf("%s: the answer names key %q, want %q", k.name, got, want)
	}
}

// TestAnswerSuite: an answer is sealed with the request's alg and enc, an error
// too where the route seals errors.
func TestAnswerSuite(t *testing.T) {
	w := newWorld(t, func(c *proxy.Config) { c.Routes[0].EncryptErrors = true })
	suites := alg.Suites()
	if len(suites) < 4 {
		t.Fatalf("%d suites", len(suites))
	}
	for _, status := range []int{http.StatusOK, http.StatusBadGateway} {
		w.Upstream.Answer(status, []byte(proxytest.Answer))
		for _, of := range []*caller.Caller{w.Caller, w.draining, w.foreign} {
			for _, suite := range suites {
				c := *of
				c.Suite = suite
				x, err := c.Call(t.Context(), proxytest.ARSPath, []byte(plaintext))
				if err != nil || !x.Encrypted || x.Status != status {
					t.Fatalf("%s: %d, encrypted %t, %v", suite, x.Status, x.Encrypted, err)
				}
				if got := must(jwe.Parse(must(kona.Unwrap(x.AnswerBody)))).Suite(); got != suite {
					t.Errorf("the answer is sealed with %s, want %s", got, suite)
				}
			}
		}
	}
}

// movable is a clock that a test moves.
type movable struct{ by atomic.Int64 }

func (m *movable) now() time.Time { return time.Now().Add(time.Duration(m.by.Load())) }

// TestPlannedEnd: a key that was replaced says since when it is on its way out and
// until when it will do (RFC 9745, RFC 8594); from then on it does no more, and no
// store has to change for it.
func TestPlannedEnd(t *testing.T) {
	clock := &movable{}
	w := newWorld(t, func(c *proxy.Config) { c.Now = clock.now })
	w.Caller.Now = clock.now
	end := time.Now().Add(time.Hour).Truncate(time.Second)
	w.promote(t, w.staged.KeyID, keys.Ends{Drain: end})
	since := must(w.Manager.Key(t.Context(), w.Caller.KeyID)).Since
	for _, c := range []struct {
		by     time.Duration
		status int
	}{{0, http.StatusOK}, {59 * time.Minute, http.StatusOK}, {61 * time.Minute, http.StatusBadRequest}, {0, http.StatusOK}} {
		clock.by.Store(int64(c.by))
		calls := w.Upstream.Calls()
		for _, call := range []kind{{caller: w.Caller, encrypted: true}, {caller: w.Caller}} {
			x, err := call.call(t.Context(), proxytest.ARSPath)
			if err != nil {
				t.Fatal(err)
			}
			if c.status != http.StatusOK {
				w.refusedBeforeUpstream(t, x, calls, invalidKey)
				continue
			}
			if x.Status != http.StatusOK || x.AnswerHeader.Get("Deprecation") != fmt.Sprintf("@%d", since.Unix()) ||
				x.AnswerHeader.Get("Sunset") != end.UTC().Format(http.TimeFormat) {
				t.Errorf("after %s: %d, headers %q", c.by, x.Status, x.AnswerHeader)
			}
		}
	}
	w.staged.Now = clock.now
	x, err := w.staged.Call(t.Context(), proxytest.ARSPath, []byte(plaintext))
	if err != nil || !x.Encrypted || x.AnswerHeader["Deprecation"] != nil || x.AnswerHeader["Sunset"] != nil {
		t.Errorf("the new key: encrypted %t, headers %q, %v", x.Encrypted, x.AnswerHeader, err)
	}
}

// promote makes a key the active one, by a writer beside the proxy.
func (w *world) promote(t *testing.T, id keys.KeyID, former keys.Ends) {
	t.Helper()
	beside, err := manage.New(t.Context(), manage.Config{Store: w.Store, Master: must(envelope.FromKeyFile(w.MasterKey)),
		MaxPerProject: 5, Now: time.Now, Prove: proxy.Prove})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beside.PromoteKey(t.Context(), w.Actor, id, former); err != nil {
		t.Fatal(err)
	}
	w.Settle(t)
}
