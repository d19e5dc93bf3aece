package proxy_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

// TestStatuses: the upstream's status passes through; 2xx with a body is sealed,
// other statuses and what has no body are not.
func TestStatuses(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		status int
		body   string
		sealed bool
	}{
		{200, proxytest.Answer, true}, {200, "", true}, {200, "not JSON", true}, {200, strings.Repeat("a", 256), true},
		{201, "{}", true}, {202, "{}", true}, {204, "", false}, {205, "", false}, {206, "{}", true},
		{300, "{}", false}, {301, "", false}, {302, "<html>", false}, {304, "", false}, {307, "{}", false},
		{400, proxytest.Answer, false}, {401, "", false}, {403, "{}", false}, {404, "not found", false}, {409, "{}", false}, {429, "", false},
		{500, "Internal Server Error", false}, {502, "<html>", false}, {503, "", false}, {504, "{}", false}, {599, "{}", false},
	} {
		t.Run(fmt.Sprintf("%d of %d bytes", c.status, len(c.body)), func(t *testing.T) {
			w.Upstream.Handle(func(a http.ResponseWriter, _ *http.Request) {
				a.Header().Set("Location", "https://elsewhere.example/")
				a.WriteHeader(c.status)
				_, _ = a.Write([]byte(c.body)) // fails where no body may go
			})
			calls := w.Upstream.Calls()
			x, err := w.Caller.Call(t.Context(), proxytest.ARSPath, []byte(plaintext))
			if err != nil {
				t.Fatal(err)
			}
			if x.Status != c.status || x.Encrypted != c.sealed || strings.TrimRight(string(x.Plaintext), " ") != c.body {
				t.Errorf("status %d, encrypted %t, %q", x.Status, x.Encrypted, x.Plaintext)
			}
			if got := x.AnswerHeader.Get("X-KM-Crypto-Key-Id") != ""; got != c.sealed {
				t.Errorf("a key is named: %t", got)
			}
			for name, want := range map[string]string{"Cache-Control": "no-store", "Location": "https://elsewhere.example/",
				"X-KM-Correlation-Id": x.RequestHeader[kona.Written(kona.HeaderCorrelationID)][0]} {
				if got := x.AnswerHeader.Values(name); len(got) != 1 || got[0] != want {
					t.Errorf("%s is %q", name, got)
				}
			}
			if w.Upstream.Calls() != calls+1 {
				t.Errorf("the upstream was called %d times: a redirect is not followed", w.Upstream.Calls()-calls)
			}
		})
	}
}

// TestMethods: routes without a body to send, and without one in the answer.
func TestMethods(t *testing.T) {
	const path = "/get"
	w := newWorld(t, func(c *proxy.Config) {
		for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			c.Routes = append(c.Routes, proxy.Route{Method: m, Path: path, Request: proxy.BodyEither, Response: proxy.BodyEither})
		}
	})
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, base := range []func(*world) *request{sealedRequest, plainRequest, func(w *world) *request {
			r := plainRequest(w)
			body("")(w, r)
			return r
		}} {
			q := base(w)
			q.method, q.target = m, path
			second, _ := q.http2(w)
			got := w.overHTTP2(t, second)
			sent := w.Upstream.Last(t)
			want := plaintext
			if len(q.body) == 0 {
				want = ""
			}
			if sent.Method != m || string(sent.Body) != want || got.status != http.StatusOK {
				t.Errorf("%s: the upstream got %s %q; status %d", m, sent.Method, sent.Body, got.status)
			}
			sealed := strings.HasPrefix(got.body, `{"encData":"`)
			if m == http.MethodHead && (got.body != "" || got.header.Get("X-KM-Crypto-Key-Id") != "") ||
				m != http.MethodHead && sealed != (q.find("X-KM-Crypto-Key-Id") >= 0) {
				t.Errorf("%s: answered %q", m, got.body)
			}
		}
	}
}

// TestHead: a HEAD request that no route has is answered without a body.
func TestHead(t *testing.T) {
	w := newWorld(t)
	q := plainRequest(w)
	q.method = http.MethodHead
	second, _ := q.http2(w)
	got := w.overHTTP2(t, second)
	if got.status != http.StatusMethodNotAllowed || got.body != "" || w.Upstream.Calls() != 0 {
		t.Errorf("%+v", got)
	}
	w.wantOutcome(t, 0, proxy.Outcome{Status: http.StatusMethodNotAllowed, Code: "900_007"})
}

// fromUpstream are headers of an answer: what passes always, what only beside a
// body that is not sealed, and what never does.
var fromUpstream = map[string]string{
	"Set-Cookie": "always", "X-Anything": "always", "Retry-After": "always", "Vary": "always", "Www-Authenticate": "always",
	"Etag": "plain", "Last-Modified": "plain", "Content-Digest": "plain", "Repr-Digest": "plain", "Digest": "plain", "Content-Md5": "plain",
	"Content-Language": "plain", "Content-Location": "plain", "Content-Disposition": "plain", "Content-Range": "plain",
	"Accept-Ranges": "plain", "Signature": "plain", "Signature-Input": "plain",
	"X-Km-Correlation-Id": "never", "X-Km-Crypto-Key-Id": "never", "X-Km-Access-Key": "never", "X-Km-Anything": "never", "X_km_anything": "never",
	"Upgrade": "never", "Keep-Alive": "never", "Proxy-Authenticate": "never", "Te": "never", "X-Hop": "never", "Trailer": "never",
	"Cache-Control": "never", "Connection": "never",
}

func TestAnswerHeaders(t *testing.T) {
	w := newWorld(t)
	w.Upstream.Handle(func(a http.ResponseWriter, _ *http.Request) {
		for name := range fromUpstream {
			a.Header()[name] = []string{"theirs"}
		}
		a.Header()["Set-Cookie"] = []string{"theirs", "theirs"}
		a.Header()["Connection"] = []string{"X-Hop"}
		a.Header()["Trailer"] = []string{"X-Km-Trailer"}
		a.Header()["Content-Type"] = []string{"text/csv"}
		_, _ = a.Write([]byte(proxytest.Answer))
		a.Header()["X-Km-Trailer"] = []string{"theirs"}
	})
	for _, base := range []func(*world) *request{plainRequest, sealedRequest} {
		q := base(w)
		sealed := q.find("X-KM-Crypto-Key-Id") >= 0
		for _, got := range []reply{w.overHTTP1(t, q.bytes()), w.overHTTP2(t, first(q.http2(w)))} {
			if got.status != http.StatusOK {
				t.Fatalf("%+v", got)
			}
			want := http.Header{"Date": got.header["Date"], "Content-Length": {fmt.Sprint(len(got.body))}, "Content-Type": {"text/csv"},
				"Cache-Control": {"no-store"}, "X-Km-Correlation-Id": {correlationID}}
			if sealed {
				want["Content-Type"] = []string{"application/json"}
				want["X-Km-Crypto-Key-Id"] = []string{string(w.Caller.KeyID)}
			}
			for name, passes := range fromUpstream {
				if passes == "always" || passes == "plain" && !sealed {
					want[name] = []string{"theirs"}
				}
			}
			want["Set-Cookie"] = []string{"theirs", "theirs"}
			if !maps.EqualFunc(got.header, want, slices.Equal) {
				t.Errorf("sealed %t: got\n%q, want\n%q", sealed, got.header, want)
			}
		}
	}
}

func first[T, U any](v T, _ U) T { return v }

// TestNoContentTypeIsGuessed: of an answer without one nothing is made up.
func TestNoContentTypeIsGuessed(t *testing.T) {
	w := newWorld(t)
	w.Upstream.Handle(func(a http.ResponseWriter, _ *http.Request) {
		a.Header()["Content-Type"] = nil
		_, _ = a.Write([]byte("<html><script>"))
	})
	got := w.overHTTP1(t, plainRequest(w).bytes())
	if types, ok := got.header["Content-Type"]; got.status != http.StatusOK || ok {
		t.Errorf("status %d, Content-Type %q", got.status, types)
	}
}

// TestPadding: whatever the answer's length, sealed it has one of few.
func TestPadding(t *testing.T) {
	for _, pad := range []int{0, 1, 2, 256} {
		p := proxytest.Start(t, func(c *proxy.Config) { c.Routes[0].PadBytes = pad })
		lengths := map[int]bool{}
		for _, n := range []int{0, 1, 2, 255, 256, 257, 511, 512, 513} {
			text := strings.Repeat("a", n)
			p.Upstream.Answer(http.StatusOK, []byte(text))
			x, err := p.Caller.Call(t.Context(), proxytest.ARSPath, nil)
			if err != nil || !x.Encrypted {
				t.Fatalf("encrypted %t, %v", x.Encrypted, err)
			}
			lengths[len(x.AnswerBody)] = true
			want := n
			if pad > 1 {
				want = (n + pad - 1) / pad * pad
			}
			if len(x.Plaintext) != want || strings.TrimRight(string(x.Plaintext), " ") != text {
				t.Errorf("pad %d: %d bytes became %d", pad, n, len(x.Plaintext))
			}
		}
		if pad == 256 && len(lengths) != 4 {
			t.Errorf("padded answers have the lengths %v", slices.Sorted(maps.Keys(lengths)))
		}
	}
}

// TestErrorsAreAsLongAsAnswers: on a route that seals errors too, success and
// failure cannot be told by the length of the body, nor one success from another,
// as long as they fit the same bucket (threat: 475 and 536 bytes for the ARS answer).
func TestErrorsAreAsLongAsAnswers(t *testing.T) {
	w := newWorld(t, func(c *proxy.Config) { c.Routes[0].EncryptErrors = true })
	const bucket = 256
	lengths := map[int][]string{}
	for _, c := range []struct {
		status int
		body   string
	}{
		{200, proxytest.Answer}, {200, "{}"}, {200, strings.Repeat("a", bucket-1)}, {200, strings.Repeat("a", bucket)},
		{400, `{"response":{"code":"000_003","description":"Missing required values. userId"}}`},
		{404, "not found"}, {500, `{"response":{"code":"999_999","description":"Internal error."}}`}, {503, strings.Repeat("b", bucket)},
	} {
		w.Upstream.Handle(func(a http.ResponseWriter, _ *http.Request) {
			a.WriteHeader(c.status)
			_, _ = a.Write([]byte(c.body)) // the client went away
		})
		x, err := w.Caller.Call(t.Context(), proxytest.ARSPath, []byte(plaintext))
		if err != nil || x.Status != c.status || !x.Encrypted || strings.TrimRight(string(x.Plaintext), " ") != c.body {
			t.Fatalf("status %d, encrypted %t, %q, %v", x.Status, x.Encrypted, x.Plaintext, err)
		}
		lengths[len(x.AnswerBody)] = append(lengths[len(x.AnswerBody)], fmt.Sprintf("%d of %d bytes", c.status, len(c.body)))
		if x.AnswerHeader.Get("Content-Encoding") != "" {
			t.Error("a sealed answer is compressed")
		}
	}
	if len(lengths) != 1 {
		t.Errorf("lengths of bodies: %v", lengths)
	}
}
