package proxy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/trantoken"
	"kmproxy/proxy"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

// What FuzzRequest does to a request before it is edited.
const (
	signs    = 1 << iota // the token is this body's
	namesKey             // it names the active key
	declares             // its length
)

// FuzzRequest makes a request of any method, target, headers and body. edits are
// lines that set (=), add (+) or drop (-) a header; JWE in the body is replaced
// by a good one. For any input the answer is below 500 and of the protocol, there is
// one outcome, and the upstream is called only for what is authentic.
func FuzzRequest(f *testing.F) {
	for _, how := range []uint8{0, signs, signs | namesKey, signs | namesKey | declares, namesKey} {
		for _, text := range []string{plaintext, "", `{"encData":"JWE"}`, `{"ENCDATA":"JWE"}`, `{"encData":"JWE","x":1}`, `{"encData":"eyJ.a.b.c.d"}`, "JWE"} {
			f.Add(how, http.MethodPost, proxytest.ARSPath, "", []byte(text))
		}
	}
	for _, edits := range []string{"+X_KM_Time_Zone: KST", "-X-KM-Time-Zone", "=X-KM-Time-Zone: KST", "+Connection: x-km-access-key", "+Upgrade: h2c",
		"+X-KM-Anything: x\n+Expect: 100-continue", "=Content-Type: application/json; charset=x", "+Content-Encoding: gzip", "=X-KM-Tran-Time: 1"} {
		f.Add(uint8(signs), http.MethodPost, proxytest.ARSPath+"?a=b", edits, []byte(plaintext))
	}
	f.Add(uint8(signs), http.MethodPost, proxytest.ARSPath+"?a HTTP/1.1", "", []byte(plaintext))
	f.Add(uint8(signs), http.MethodGet, "/../"+proxytest.ARSPath, "", []byte(nil))

	up := &fuzzUpstream{}
	w := &world{Proxy: proxytest.Start(f, func(c *proxy.Config) { c.Transport = up })}
	up.world = w
	f.Fuzz(func(t *testing.T, how uint8, method, target, edits string, text []byte) {
		sent := []byte(strings.ReplaceAll(string(text), "JWE", forged{plaintext: plaintext}.token(w)))
		r := w.fuzzed(how, method, target, edits, sent)
		if r == nil {
			return
		}
		up.t, up.calls, up.received, up.body = t, 0, r.Header.Clone(), sent
		outcomes := w.Outcomes.Total()
		answer := httptest.NewRecorder()
		w.Handler.ServeHTTP(answer, r)
		if n := w.Outcomes.Total() - outcomes; n != 1 {
			t.Errorf("%d outcomes", n)
		}
		if passed := answer.Code == http.StatusOK; up.calls > 1 || passed != (up.calls == 1) {
			t.Errorf("status %d, and the upstream was called %d times", answer.Code, up.calls)
		}
		if answer.Code != http.StatusOK {
			checkFuzzed(t, answer)
		}
	})
}

// fuzzed makes the request, or nil where net/http would not let it in.
func (w *world) fuzzed(how uint8, method, target, edits string, text []byte) *http.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil || !isToken(method) {
		return nil
	}
	signed := http.Header{}
	w.Caller.Sign(signed, text)
	h := http.Header{}
	for name, values := range signed {
		h.Set(name, values[0])
	}
	if how&namesKey == 0 {
		h.Del("X-KM-Crypto-Key-Id")
	}
	if how&signs == 0 {
		h.Set("X-KM-Tran-Token", trantoken.Make(w.Caller.Secret, append(text[:len(text):len(text)], 'x'), time.Now().UTC()))
	}
	if !editHeader(h, edits) {
		return nil
	}
	r := &http.Request{Method: method, URL: u, RequestURI: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h,
		Host: "proxy.example", RemoteAddr: "127.0.0.1:1", Body: io.NopCloser(strings.NewReader(string(text))), ContentLength: -1}
	if how&declares != 0 {
		r.ContentLength = int64(len(text))
	}
	return r
}

// editHeader is false where net/http takes no such header.
func editHeader(h http.Header, edits string) bool {
	for line := range strings.Lines(edits) {
		name, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ":")
		value = strings.Trim(value, " \t")
		if len(name) < 2 || !isToken(name[1:]) || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return false
		}
		switch name[0] {
		case '=':
			h.Set(name[1:], value)
		case '+':
			h.Add(name[1:], value)
		case '-':
			h.Del(name[1:])
		default:
			return false
		}
	}
	return true
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
	})
}

// fuzzUpstream is a transport that checks what it is given.
type fuzzUpstream struct {
	t        *testing.T
	world    *world
	calls    int
	received http.Header // the request's as it came in
	body     []byte
}

// RoundTrip implements http.RoundTripper.
func (u *fuzzUpstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.calls++
	c := u.world.Caller
	if u.received.Get("X-KM-Access-Key") != string(c.AccessKey) || r.Header[kona.Written(kona.HeaderASPID)][0] != string(c.ASPID) {
		u.t.Error("an unauthenticated request was forwarded")
	}
	if token, err := trantoken.Parse(u.received.Get("X-KM-Tran-Token")); err != nil || !token.Verify(c.Secret, u.body) {
		u.t.Errorf("a body without its token was forwarded: %v", err)
	}
	if target := r.URL.RequestURI(); strings.ContainsFunc(target, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		u.t.Errorf("the upstream's request line would hold %q", target)
	}
	content, err := io.ReadAll(r.Body)
	if err != nil || kona.IsEncrypted(content) && string(content) != plaintext {
		u.t.Errorf("an unopened body was forwarded: %q, %v", content, err)
	}
	for name := range r.Header {
		switch canonical := http.CanonicalHeaderKey(name); canonical {
		case "X-Km-User-Aspid", "X-Km-Correlation-Id", "X-Km-Crypto-Key-Id", "X-Km-Tran-Time", "X-Km-Time-Zone":
		case "Connection", "Upgrade", "Expect", "Transfer-Encoding", "Content-Encoding", "X-Km-Tran-Token", "X-Km-Access-Key":
			u.t.Errorf("%s was forwarded", name)
		default:
			if strings.HasPrefix(strings.ReplaceAll(canonical, "_", "-"), "X-Km-") {
				u.t.Errorf("%s was forwarded", name)
			}
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(proxytest.Answer))}, nil
}

// checkFuzzed holds a refusal to the contract.
func checkFuzzed(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	if answer.Code < 400 || answer.Code >= 500 {
		t.Errorf("status %d", answer.Code)
	}
	var told struct {
		Response struct{ Code, Description string }
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &told); err != nil || told.Response.Code == "" || told.Response.Description == "" {
		t.Errorf("answered %q", answer.Body)
	}
	if h := answer.Result().Header; h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %q", h)
	}
}
