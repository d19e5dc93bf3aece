package proxy_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
	"kmproxy/proxy/status"
)

// canaries are what must be seen nowhere but where it belongs.
const (
	requestCanary = "9400111899223344551"
	answerCanary  = "authNumber-73-canary"
	sealedCanary  = `{"cardNo":"` + requestCanary + `"}`
)

// secrets are everything a proxy holds or has seen that must not come out, by name.
func secrets(w *world) map[string][]byte {
	out := map[string][]byte{
		"request":    []byte(requestCanary),
		"answer":     []byte(answerCanary),
		"secret key": w.Caller.Secret.Expose(),
		"master key": must(base64.StdEncoding.DecodeString(strings.Fields(string(w.MasterKey.Expose()))[1])),
	}
	for i, k := range w.Private {
		name := func(part string) string { return fmt.Sprintf("private key %d, %s", i, part) }
		out[name("exponent")] = k.D.Bytes()
		out[name("first prime")] = k.Primes[0].Bytes()
		out[name("second prime")] = k.Primes[1].Bytes()
		out[name("CRT")] = k.Precomputed.Dp.Bytes()
		out[name("PKCS#1")] = privatePart(k)
	}
	return out
}

// privatePart is the end of the PKCS#1 encoding, which has nothing public in it.
func privatePart(k *rsa.PrivateKey) []byte {
	der := x509.MarshalPKCS1PrivateKey(k)
	return der[len(der)/2:]
}

// spellings are the ways in which bytes could be written down. Of long ones the
// middle is enough.
func spellings(secret []byte) map[string]string {
	if len(secret) > 64 {
		secret = secret[len(secret)/2-24 : len(secret)/2+24]
	}
	out := map[string]string{
		"as it is": string(secret), "in hex": hex.EncodeToString(secret), "in HEX": strings.ToUpper(hex.EncodeToString(secret)),
		"as numbers": strings.Trim(fmt.Sprint(secret), "[]"), "quoted": strings.Trim(fmt.Sprintf("%q", secret), `"`),
		"in commas": strings.Trim(strings.ReplaceAll(fmt.Sprint(secret), " ", ","), "[]"),
	}
	for shift := range 3 { // its position in a longer text changes its base64
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, shift), secret...))
			out[fmt.Sprintf("%s at %d", name, shift)] = text[4:max(5, len(text)-4)]
		}
	}
	return out
}

// wantNone fails if a text contains any secret in any spelling.
func wantNone(t *testing.T, w *world, where, text string) {
	t.Helper()
	tried := 0
	for name, secret := range secrets(w) {
		for how, spelled := range spellings(secret) {
			if len(spelled) < 8 {
				t.Errorf("%s %s is too short to look for", name, how)
			}
			if tried++; strings.Contains(text, spelled) {
				t.Errorf("%s has the %s %s", where, name, how)
			}
		}
	}
	if tried < 100 || len(text) == 0 {
		t.Errorf("%s: %d bytes were searched for %d texts", where, len(text), tried)
	}
}

// TestCanaryIsFound is the control of the search: it finds a secret in every
// spelling, at every position.
func TestCanaryIsFound(t *testing.T) {
	w := newWorld(t)
	for name, secret := range secrets(w) {
		for _, text := range []string{
			"x" + string(secret), "x" + fmt.Sprint(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret),
			base64.StdEncoding.EncodeToString(secret), base64.URLEncoding.EncodeToString(append([]byte("x"), secret...)),
			base64.RawURLEncoding.EncodeToString(append([]byte("xy"), secret...)),
		} {
			found := false
			for _, spelled := range spellings(secret) {
				found = found || strings.Contains(text, spelled)
			}
			if !found {
				t.Errorf("%s is not found in %.60s", name, text)
			}
		}
	}
}

// TestCanaries sends good and bad traffic, to an upstream that misuses what
// it got, and then searches all that comes out: the log at its finest,
// the metrics, the answers of kmproxy's own, the store, and what net/http says
// through package log.
func TestCanaries(t *testing.T) {
	var standard bytes.Buffer
	log.SetOutput(&standard)
	t.Cleanup(func() { log.SetOutput(io.Discard) })
	var counters status.Counters
	u := startRaw(t, echoes())
	count := func(c *proxy.Config) {
		seen := c.Observe
		c.Observe = func(o proxy.Outcome) {
			counters.Count(o.Code, o.Status, o.Encrypted, o.Took)
			seen(o)
		}
		c.MaxAnswerBytes = 4096
	}
	w := newWorld(t, u.use, count)
	refused := w.traffic(t, u)
	p := &world{Proxy: w.Proxy}
	wantNone(t, p, "the log", w.Log.String())
	wantNone(t, p, "an answer of kmproxy's own", refused)
	var metrics bytes.Buffer
	_, _ = counters.WriteTo(&metrics) // a buffer takes everything
	wantNone(t, p, "the metrics", metrics.String())
	snapshot := must(w.Store.Load(t.Context()))
	for name, entry := range snapshot.Entries {
		wantNone(t, p, "the store's "+name, string(entry.Value))
	}
	if len(snapshot.Entries) < 3 {
		t.Errorf("the store has %d entries", len(snapshot.Entries))
	}
	wantNone(t, p, "package log", "(nothing)"+standard.String())
}

// echoes is an upstream that quotes what it got in wrong places, in another way each
// time.
func echoes() func(int, net.Conn) bool {
	quote := answerCanary + " " + sealedCanary + "\r\n"
	ways := []string{
		goodAnswer[:len(goodAnswer)-len("2\r\n\r\n{}")] + fmt.Sprintf("%d\r\n\r\n%s", len(quote), quote),
		quote, "HTTP/1.1 " + quote, "HTTP/1.1 200 OK\r\n" + quote + "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: " + quote + "\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + quote + "\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + quote,
		"HTTP/1.1 200 OK\r\nContent-Encoding: " + quote + "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + quote,
		"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat(quote, 100), "HTTP/1.1 101 " + quote + "Upgrade: " + quote + "\r\n",
		"HTTP/1.1 500 " + quote + "X-Echo: " + quote + "\r\n" + quote, "HTTP/1.1 301 Moved\r\nLocation: http://[" + quote + "\r\n",
	}
	return func(n int, conn net.Conn) bool {
		_, _ = io.WriteString(conn, ways[n%len(ways)]) // the proxy may have heard enough
		return false
	}
}

// traffic sends good and bad requests and returns every answer that kmproxy itself
// made, header and body.
func (w *world) traffic(t *testing.T, u *rawUpstream) string {
	t.Helper()
	var answers strings.Builder
	keep := func(r reply) {
		if strings.Contains(r.body, `{"response":{"code":"`) {
			answers.WriteString(r.raw)
		}
	}
	canaryBody := func(_ *world, r *request) { body(strings.ReplaceAll(string(r.body), plaintext, sealedCanary))(w, r) }
	for range 13 {
		for _, r := range []row{{base: plainRequest, flaws: []flaw{canaryBody}}, {base: sealedRequest, flaws: []flaw{sealed(forged{plaintext: sealedCanary})}}} {
			keep(w.overHTTP1(t, r.make(w).bytes()))
		}
	}
	if _, n, last := u.seen(); n != 26 || !strings.HasSuffix(last, sealedCanary) {
		t.Fatalf("the upstream got %d requests, the last %q", n, last)
	}
	for _, f := range inOrder() {
		f.base = plainRequest
		if f.name == "key" || f.name == "wrapper" || f.name == "JWE" {
			f.base = sealedRequest
		}
		f.flaws = append([]flaw{canaryBody}, f.flaws...)
		keep(w.overHTTP1(t, f.make(w).bytes()))
	}
	for _, f := range bodyFlaws() {
		f.plaintext = sealedCanary
		keep(w.overHTTP1(t, row{base: sealedRequest, flaws: []flaw{sealed(f)}}.make(w).bytes()))
	}
	if got := strings.Count(answers.String(), "HTTP/1.1 "); got < 60 {
		t.Errorf("only %d answers were kmproxy's own", got)
	}
	return answers.String()
}

// TestUnsolicitedBytes: what an upstream sends on an idle connection is not an answer,
// and is quoted neither in the proxy's log nor in the standard library's.
func TestUnsolicitedBytes(t *testing.T) {
	const calls = 20
	var standard proxytest.Buffer
	log.SetOutput(&standard)
	t.Cleanup(func() { log.SetOutput(io.Discard) })
	u := startRaw(t, func(_ int, conn net.Conn) bool {
		_, _ = io.WriteString(conn, goodAnswer+sealedCanary) // more than was asked for
		return true
	})
	w := before(t, u, passes)
	for range calls {
		w.overHTTP1(t, plainRequest(w).bytes())
	}
	for name, text := range map[string]string{"the log": w.Log.String(), "the standard library's log": standard.String()} {
		if strings.Contains(text, requestCanary) {
			t.Errorf("%s has the plaintext:\n%s", name, text)
		}
	}
	if conns, _, _ := u.seen(); conns < calls {
		t.Errorf("%d connections for %d calls: one that brought stray bytes was used again", conns, calls)
	}
}

// TestPanicsQuoteNothing: the value of a panic may be anything, a body too.
func TestPanicsQuoteNothing(t *testing.T) {
	for _, value := range []any{sealedCanary, []byte(sealedCanary), fmt.Errorf("at %s", sealedCanary), struct{ body string }{sealedCanary}} {
		w := &world{Proxy: proxytest.Start(t, func(c *proxy.Config) { c.Transport = panics(value) })}
		q := row{base: sealedRequest, flaws: []flaw{sealed(forged{plaintext: sealedCanary})}}.make(w)
		got := w.overHTTP1(t, q.bytes())
		if got.status != http.StatusInternalServerError {
			t.Errorf("status %d", got.status)
		}
		wantNone(t, w, "the log after a panic", w.Log.String())
		wantNone(t, w, "the answer to a panic", got.raw)
	}
}
