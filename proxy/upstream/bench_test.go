package upstream_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// BenchmarkExchange is one request of 1 KiB and its answer over a kept connection,
// through the pool. The server's work is in it.
func BenchmarkExchange(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"authNumber":"42","response":{"code":"000_000","description":"Success."}}`)
	}))
	defer s.Close()
	u, err := url.Parse(s.URL)
	if err != nil {
		b.Fatal(err)
	}
	c := client(time.Now)
	defer c.Close()
	p, err := upstream.New(upstream.Config{URLs: []*url.URL{u}, Transport: c, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		r := &http.Request{Method: http.MethodPost, URL: u, Header: http.Header{"Content-Type": {"application/json"}}, Body: upstream.NewBody(body), ContentLength: int64(len(body))}
		answer, err := p.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.Body.Close() != nil {
			b.Fatal(err)
		}
	}
}
