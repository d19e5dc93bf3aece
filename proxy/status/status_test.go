package status_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kmproxy/proxy/status"
)

func get(t *testing.T, h http.Handler, method, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Result()
}

func handler(c *status.Counters, ready func() (string, error), gauges ...status.Gauge) http.Handler {
	return status.Handler(status.Config{Counters: c, Gauges: func() []status.Gauge { return gauges }, Ready: ready})
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHandler(t *testing.T) {
	notReady := errors.New("the store cannot be read")
	for _, c := range []struct {
		method, path string
		note         string
		ready        error
		status       int
		body         string
	}{
		{"GET", "/healthz", "", nil, 200, "ok\n"},
		{"GET", "/healthz", "", notReady, 200, "ok\n"}, // it lives: restarting it would not help
		{"GET", "/readyz", "", nil, 200, "ok\n"},
		{"GET", "/readyz", "", notReady, 503, "the store cannot be read\n"},
		{"GET", "/readyz", "it ends soon", nil, 200, "ok\nit ends soon\n"},
		{"GET", "/readyz", "it ends soon", notReady, 503, "the store cannot be read\n"},
		{"POST", "/healthz", "", nil, 405, ""},
		{"POST", "/metrics", "", nil, 405, ""},
		{"GET", "/", "", nil, 404, ""},
		{"GET", "/metrics/x", "", nil, 404, ""},
		{"GET", "/debug/pprof/", "", nil, 404, ""},
	} {
		r := get(t, handler(&status.Counters{}, func() (string, error) { return c.note, c.ready }), c.method, c.path)
		if r.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, r.StatusCode, c.status)
		}
		if got := text(t, r); c.body != "" && got != c.body {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.body)
		}
		if c.body != "" && r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be cached", c.method, c.path)
		}
	}
}

const noRequests = `# HELP kmproxy_requests_total Requests that ended, by the code they were answered with.
# TYPE kmproxy_requests_total counter
# HELP kmproxy_request_seconds Time from the first header to the answer.
# TYPE kmproxy_request_seconds summary
kmproxy_request_seconds_sum 0
kmproxy_request_seconds_count 0
`

const someRequests = `# HELP kmproxy_requests_total Requests that ended, by the code they were answered with.
# TYPE kmproxy_requests_total counter
kmproxy_requests_total{code="900_001",status="401",encrypted="false"} 1
kmproxy_requests_total{code="upstream",status="200",encrypted="false"} 1
kmproxy_requests_total{code="upstream",status="200",encrypted="true"} 2
kmproxy_requests_total{code="upstream",status="400",encrypted="true"} 1
# HELP kmproxy_request_seconds Time from the first header to the answer.
# TYPE kmproxy_request_seconds summary
kmproxy_request_seconds_sum 0.75
kmproxy_request_seconds_count 5
`

func TestMetrics(t *testing.T) {
	var c status.Counters
	h := handler(&c, func() (string, error) { return "", nil })
	if got := text(t, get(t, h, "GET", "/metrics")); got != noRequests {
		t.Errorf("before any request:\n%s", got)
	}
	c.Count("", 200, true, 250*time.Millisecond)
	c.Count("", 200, true, 250*time.Millisecond)
	c.Count("", 200, false, 0)
	c.Count("", 400, true, 0)
	c.Count("900_001", 401, false, 250*time.Millisecond)
	r := get(t, h, "GET", "/metrics")
	if got := text(t, r); got != someRequests {
		t.Errorf("got:\n%s", got)
	}
	if got := r.Header.Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
}

func TestGauges(t *testing.T) {
	h := handler(&status.Counters{}, nil, status.Gauge{Name: "a", Help: "Things.", Value: 1.5}, status.Gauge{Name: "b", Help: "Others.", Value: 1 << 30})
	want := noRequests + "# HELP a Things.\n# TYPE a gauge\na 1.5\n# HELP b Others.\n# TYPE b gauge\nb 1073741824\n"
	if got := text(t, get(t, h, "GET", "/metrics")); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestWriteTo(t *testing.T) {
	var c status.Counters
	var out strings.Builder
	if n, err := c.WriteTo(&out); err != nil || n != int64(out.Len()) || out.String() != noRequests {
		t.Errorf("%d bytes, %v: %s", n, err, out.String())
	}
}

// TestSlowReader: a client that does not read /metrics delays no request.
func TestSlowReader(t *testing.T) {
	var c status.Counters
	in, out := io.Pipe() // a write blocks until it is read
	written := make(chan error, 1)
	go func() {
		_, err := c.WriteTo(out)
		written <- err
	}()
	first := make([]byte, 1)
	if _, err := in.Read(first); err != nil {
		t.Fatal(err)
	}
	counted := make(chan struct{})
	go func() {
		c.Count("", 200, true, 0)
		close(counted)
	}()
	select {
	case <-counted:
	case <-time.After(10 * time.Second):
		t.Error("a request waits for a reader of /metrics")
	}
	_ = in.Close()
	<-written
}

func TestConcurrentUse(t *testing.T) {
	var c status.Counters
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				c.Count("900_004", 400, true, time.Millisecond)
				_, _ = c.WriteTo(io.Discard)
			}
		})
	}
	all.Wait()
	var out strings.Builder
	_, _ = c.WriteTo(&out)
	if !strings.Contains(out.String(), `kmproxy_requests_total{code="900_004",status="400",encrypted="true"} 1600`+"\n") {
		t.Errorf("1600 requests were counted as:\n%s", out.String())
	}
}
