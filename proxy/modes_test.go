package proxy_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/keys"
	"kmproxy/proxy"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

// kind is a way to call: encrypted or not, naming a key or not.
type kind struct {
	name      string
	caller    *caller.Caller // whose KeyID is sent, and whose Client half opens the answer
	encrypted bool
	answerKey keys.KeyID // under which an encrypted answer goes; empty: there is none
}

func kinds(t *testing.T, w *world) []kind {
	t.Helper()
	unnamed := func(c *caller.Caller) *caller.Caller {
		out := *c
		out.KeyID = ""
		return &out
	}
	other := w.project(t, "000000000000004")
	draining := &caller.Caller{URL: w.URL, HTTP: w.HTTP, Now: w.Caller.Now}
	w.AddProject(t, "000000000000005", draining)
	w.AddKey(t, draining.ASPID, draining, keys.Draining)
	staged := &caller.Caller{URL: w.URL, HTTP: w.HTTP, Now: w.Caller.Now}
	w.AddProject(t, "000000000000006", staged)
	w.AddKey(t, staged.ASPID, staged, keys.Staged)
	return []kind{
		{"encrypted", w.Caller, true, w.Caller.KeyID},
		{"encrypted, draining", w.draining, true, w.draining.KeyID},
		{"encrypted, another project", other, true, other.KeyID},
		{"plain", unnamed(w.Caller), false, w.Caller.KeyID},
		{"plain, names the active key", w.Caller, false, w.Caller.KeyID},
		{"plain, names the draining key", w.draining, false, w.draining.KeyID},
		{"plain, without an active key", unnamed(staged), false, ""},
		{"plain, only a draining key", unnamed(draining), false, ""},
		{"plain, names the only, draining key", draining, false, draining.KeyID},
	}
}

func modeRoutes() []proxy.Route {
	var out []proxy.Route
	for request := proxy.BodyEither; request <= proxy.BodyPlain; request++ {
		for response := proxy.BodyEither; response <= proxy.BodyPlain; response++ {
			for _, errors := range []bool{false, true} {
				out = append(out, proxy.Route{Method: http.MethodPost, Path: fmt.Sprintf("/%d/%d/%t", request, response, errors),
					Request: request, Response: response, PadBytes: 64, EncryptErrors: errors})
			}
		}
	}
	return out
}

// TestModes goes through every mode of a route, every kind of call and both an
// answer and an error of the upstream.
func TestModes(t *testing.T) {
	w := newWorld(t, func(c *proxy.Config) { c.Routes = append(c.Routes, modeRoutes()...) })
	callers, tried := kinds(t, w), 0
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		w.Upstream.Answer(status, []byte(proxytest.Answer))
		for _, r := range modeRoutes() {
			for _, k := range callers {
				tried++
				t.Run(fmt.Sprintf("%s/%s/%d", r.Path[1:], k.name, status), func(t *testing.T) { w.tryMode(t, r, k, status) })
			}
		}
	}
	if tried != 2*18*9 {
		t.Errorf("%d combinations were tried", tried)
	}
}

func (w *world) tryMode(t *testing.T, r proxy.Route, k kind, status int) {
	t.Helper()
	calls := w.Upstream.Calls()
	x, err := k.call(t.Context(), r.Path)
	if err != nil {
		t.Fatal(err)
	}
	toSeal := r.Response == proxy.BodyEncrypted || r.Response == proxy.BodyEither && k.encrypted
	switch {
	case r.Request == proxy.BodyEncrypted && !k.encrypted, r.Request == proxy.BodyPlain && k.encrypted:
		w.refusedBeforeUpstream(t, x, calls, invalid("encData"))
		return
	case toSeal && k.answerKey == "":
		w.refusedBeforeUpstream(t, x, calls, invalidKey)
		return
	}
	if w.Upstream.Calls() != calls+1 || string(w.Upstream.Last(t).Body) != plaintext {
		t.Errorf("the upstream was called %d times, last with %q", w.Upstream.Calls()-calls, w.Upstream.Last(t).Body)
	}
	if got := w.Upstream.Last(t).Header.Get("X-KM-Crypto-Key-Id"); got != string(k.caller.KeyID) {
		t.Errorf("the upstream got key %q, want %q", got, k.caller.KeyID)
	}
	sealed := toSeal && (status == http.StatusOK || r.EncryptErrors)
	used := k.caller.KeyID
	if sealed {
		used = k.answerKey
	}
	if x.Status != status || x.Encrypted != sealed {
		t.Errorf("status %d, encrypted %t, want %d, %t", x.Status, x.Encrypted, status, sealed)
	}
	checkAnswer(t, x, k, r.PadBytes)
	w.checkDeprecation(t, x, used)
}

func (k kind) call(ctx context.Context, path string) (caller.Exchange, error) {
	c := *k.caller
	c.Suite = alg.Suite{Key: alg.RSAOAEP, Enc: alg.A128GCM}
	if k.encrypted {
		return c.Call(ctx, path, []byte(plaintext))
	}
	return c.Send(ctx, path, []byte(plaintext))
}

func (w *world) refusedBeforeUpstream(t *testing.T, x caller.Exchange, calls int, want want) {
	t.Helper()
	if x.Status != want.status || string(x.AnswerBody) != want.body() || w.Upstream.Calls() != calls {
		t.Errorf("%d %s, want %d %s; %d calls", x.Status, x.AnswerBody, want.status, want.body(), w.Upstream.Calls()-calls)
	}
}

// checkAnswer: the upstream's bytes, padded and under the right key and suite
// where they are sealed, and untouched where they are not.
func checkAnswer(t *testing.T, x caller.Exchange, k kind, pad int) {
	t.Helper()
	keyID := x.AnswerHeader.Get("X-KM-Crypto-Key-Id")
	if !x.Encrypted {
		if string(x.AnswerBody) != proxytest.Answer || keyID != "" {
			t.Errorf("plain answer %q, key %q", x.AnswerBody, keyID)
		}
		return
	}
	text := string(x.Plaintext)
	if len(text)%pad != 0 || len(text)-len(proxytest.Answer) >= pad || strings.TrimRight(text, " ") != proxytest.Answer {
		t.Errorf("sealed answer %q", text)
	}
	if keyID != string(k.answerKey) {
		t.Errorf("the answer names key %q, want %q", keyID, k.answerKey)
	}
	want := alg.Preferred()
	if k.encrypted {
		want = alg.Suite{Key: alg.RSAOAEP, Enc: alg.A128GCM} // the request's
	}
	if got := must(jwe.Parse(must(kona.Unwrap(x.AnswerBody)))).Suite(); got != want {
		t.Errorf("the answer is sealed with %v, want %v", got, want)
	}
}

// checkDeprecation: only a draining key's answers say since when it is (RFC 9745).
func (w *world) checkDeprecation(t *testing.T, x caller.Exchange, used keys.KeyID) {
	t.Helper()
	want := ""
	if used != "" {
		if key := must(w.Manager.Key(t.Context(), used)); key.State == keys.Draining {
			want = fmt.Sprintf("@%d", key.Since.Unix())
		}
	}
	if got := x.AnswerHeader.Get("Deprecation"); got != want {
		t.Errorf("Deprecation is %q, want %q", got, want)
	}
}
