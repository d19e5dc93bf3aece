package proxy_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// TestBodySize: a body of exactly the limit passes and one byte more does not,
// with a declared length and without, over both versions.
func TestBodySize(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		size int
		want want
	}{{maxBody - 1, passes}, {maxBody, passes}, {maxBody + 1, tooLarge}, {2 * maxBody, tooLarge}} {
		for how, send := range map[string]func(*request) reply{
			"HTTP/1.1, declared": func(q *request) reply { return w.overHTTP1(t, q.bytes()) },
			"HTTP/1.1, in chunks": func(q *request) reply {
				q.fields = append(q.fields, chunked...)
				q.behind = []byte(chunks(string(q.body), 10000))
				return w.overHTTP1(t, q.bytes())
			},
			"HTTP/2, declared": func(q *request) reply { return w.overHTTP2(t, first(q.http2(w))) },
			"HTTP/2, not declared": func(q *request) reply {
				r, _ := q.http2(w)
				r.ContentLength = -1
				return w.overHTTP2(t, r)
			},
		} {
			text := `{"a":"` + strings.Repeat("x", c.size-8) + `"}`
			t.Run(how, func(t *testing.T) {
				w.try(t, row{base: plainRequest, flaws: []flaw{body(text)}, want: c.want}, send)
				if c.want == passes && string(w.Upstream.Last(t).Body) != text {
					t.Error("the upstream got another body")
				}
			})
		}
	}
}

// TestExpectContinue: a request that expects it gets 100 only if it is not refused for
// its headers already.
func TestExpectContinue(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		flaw flaw
		goOn bool
		want int
	}{
		{func(*world, *request) {}, true, http.StatusOK},
		{set("X-KM-Access-Key", strings.Repeat("0", 40)), true, http.StatusUnauthorized}, // told with the token
		{drop("X-KM-Time-Zone"), false, http.StatusBadRequest},
		{target("/nowhere"), false, http.StatusNotFound},
	} {
		q := plainRequest(w)
		c.flaw(w, q)
		add("Expect", "100-continue")(w, q)
		head, content, _ := strings.Cut(string(q.bytes()), "\r\n\r\n")
		conn := w.dial(t)
		if _, err := io.WriteString(conn, head+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		from := bufio.NewReader(conn)
		answer, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if goOn := answer.StatusCode == http.StatusContinue; goOn != c.goOn {
			t.Errorf("100 was sent: %t, status %d", goOn, answer.StatusCode)
		}
		if answer.StatusCode == http.StatusContinue {
			if _, err := io.WriteString(conn, content); err != nil {
				t.Fatal(err)
			}
			if answer, err = http.ReadResponse(from, nil); err != nil {
				t.Fatal(err)
			}
		}
		if answer.StatusCode != c.want {
			t.Errorf("status %d, want %d", answer.StatusCode, c.want)
		}
		_ = conn.Close()
	}
}

// TestConnectionsThatAreNotKept: net/http takes a Content-Length together
// with chunks out of sight. The connection of such a request takes no other
// (RFC 9112 §6.1); that of a request in chunks alone does.
func TestConnectionsThatAreNotKept(t *testing.T) {
	w := newWorld(t)
	for what, c := range map[string]struct {
		flaw   flaw
		closed bool
	}{
		"declared":          {func(*world, *request) {}, false},
		"in chunks":         {framed(chunked, asChunks), false},
		"chunks, HTTP/1.0":  {func(w *world, r *request) { framed(chunked, asChunks)(w, r); proto("HTTP/1.0")(w, r) }, true},
		"length and chunks": {framed(append([]field{{"Content-Length", "3"}}, chunked...), asChunks), true},
		"chunks and length": {framed(append(chunked[:1:1], field{"Content-Length", "3"}), asChunks), true},
		"HTTP/1.0":          {func(w *world, r *request) { proto("HTTP/1.0")(w, r); add("Connection", "keep-alive")(w, r) }, true},
	} {
		for _, base := range []func(*world) *request{plainRequest, func(w *world) *request {
			q := plainRequest(w)
			q.set("X-KM-Access-Key", strings.Repeat("0", 40))
			return q
		}} {
			q := base(w)
			c.flaw(w, q)
			if got := w.overHTTP1(t, q.bytes()); got.closed != c.closed {
				t.Errorf("%s: status %d, closed: %t", what, got.status, got.closed)
			}
		}
	}
}

// TestMemoryFollowsTheBody: a declared length alone takes no memory. Many requests
// that declare a megabyte and send nothing stay far below what they declare.
func TestMemoryFollowsTheBody(t *testing.T) {
	const declared, requests = 64 << 20, 20
	p := proxytest.Start(t, func(c *proxy.Config) { c.MaxBodyBytes = declared })
	signed := http.Header{}
	p.Caller.Sign(signed, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range requests {
		r := httptest.NewRequest(http.MethodPost, proxytest.ARSPath, strings.NewReader("{}"))
		r.ContentLength = declared
		for name, values := range signed {
			r.Header.Set(name, values[0])
		}
		answer := httptest.NewRecorder()
		p.Handler.ServeHTTP(answer, r)
		if answer.Code != http.StatusUnauthorized {
			t.Fatalf("status %d: it was not read to the token", answer.Code)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > requests<<20 {
		t.Errorf("%d requests that declared %d bytes and sent 2 took %d bytes", requests, declared, took)
	}
}
