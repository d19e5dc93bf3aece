//go:build !race

package proxy_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// TestAllocations: what one request allocates between net/http and the upstream's
// connection. A change that makes it more than this is seen here, and says why.
func TestAllocations(t *testing.T) {
	body := bytes.NewReader([]byte(proxytest.Answer))
	w := newWorld(t, func(c *proxy.Config) {
		c.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
		c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			body.Reset([]byte(proxytest.Answer))
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
				ContentLength: int64(len(proxytest.Answer)), Body: io.NopCloser(body), Request: r}, nil
		})
	})
	for name, tt := range map[string]struct {
		base func(*world) *request
		most float64
	}{"plain": {plainRequest, 56}, "encrypted": {sealedRequest, 102}} {
		q := tt.base(w)
		r := httptest.NewRequest(http.MethodPost, proxytest.ARSPath, nil)
		for _, f := range q.fields {
			r.Header.Add(f.name, f.value)
		}
		got := testing.AllocsPerRun(100, func() {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(q.body)), int64(len(q.body))
			answer := discarded{http.Header{}}
			w.Handler.ServeHTTP(answer, r)
		})
		t.Logf("%s: %.0f allocations", name, got)
		if got > tt.most {
			t.Errorf("%s: %.0f allocations, at most %.0f are wanted", name, got, tt.most)
		}
	}
}

// discarded is a ResponseWriter that drops the answer.
type discarded struct{ header http.Header }

func (n discarded) Header() http.Header         { return n.header }
func (n discarded) Write(b []byte) (int, error) { return len(b), nil }
func (n discarded) WriteHeader(int)             {}
