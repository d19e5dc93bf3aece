package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// counting is a transport that counts the requests it was to send.
type counting struct{ sent int }

// RoundTrip implements http.RoundTripper.
func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent++
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// TestForwardNeedsAnOpenedBody: a request that got to the upstream's step around
// the steps before it panics there, and nothing is sent. With its body opened the
// same request is sent.
func TestForwardNeedsAnOpenedBody(t *testing.T) {
	to := &counting{}
	c := Config{Transport: to, UpstreamTime: time.Minute, MaxAnswerBytes: 1 << 10}
	r := httptest.NewRequest(http.MethodPost, "/a", strings.NewReader(`{"encData":"x"}`))
	c.Upstreams = []*url.URL{r.URL}
	servers, err := upstream.New(upstream.Config{URLs: c.Upstreams, Transport: to, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{c: c, servers: servers}
	o := opened{admitted: admitted{signed: signed{request: r, route: &Route{Path: "/a"}, held: anAccount(t, NewBudget(1<<20)), body: []byte(`{"encData":"x"}`)}}}
	if !panicsIn(func() { _, _ = p.forward(o) }) || to.sent != 0 {
		t.Errorf("a body that was never opened was sent %d times", to.sent)
	}
	o.content = payload{bytes: []byte("{}"), checked: true}
	if _, err := p.forward(o); err != nil || to.sent != 1 {
		t.Errorf("an opened body was sent %d times, %v", to.sent, err)
	}
}

func panicsIn(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}
