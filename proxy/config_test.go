package proxy_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kmproxy/keys/ring"

	"kmproxy/proxy"
)

func goodConfig() proxy.Config {
	return proxy.Config{
		Routes: []proxy.Route{{Method: http.MethodPost, Path: "/a", Request: proxy.BodyEither, Response: proxy.BodyEither}},
		Ring:   func() *ring.Ring { return nil }, Upstreams: []*url.URL{{Scheme: "http", Host: "127.0.0.1:1"}}, Transport: &http.Transport{},
		UpstreamTime: time.Second, MaxBodyBytes: 1, MaxAnswerBytes: 1, Queue: onePlace(), Budget: proxy.NewBudget(1 << 20), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// TestNew: a proxy without one of its parts does not start.
func TestNew(t *testing.T) {
	if p, err := proxy.New(goodConfig()); err != nil || p == nil {
		t.Fatal(err)
	}
	route := func(edit func(*proxy.Route)) func(*proxy.Config) { return func(c *proxy.Config) { edit(&c.Routes[0]) } }
	path := func(to string) func(*proxy.Config) { return route(func(r *proxy.Route) { r.Path = to }) }
	for name, c := range map[string]struct {
		lacks func(*proxy.Config)
		says  string
	}{
		"no ring":          {func(c *proxy.Config) { c.Ring = nil }, "must be set"},
		"no upstream":      {func(c *proxy.Config) { c.Upstreams = nil }, "must be set"},
		"no transport":     {func(c *proxy.Config) { c.Transport = nil }, "must be set"},
		"no clock":         {func(c *proxy.Config) { c.Now = nil }, "must be set"},
		"no log":           {func(c *proxy.Config) { c.Log = nil }, "must be set"},
		"no body":          {func(c *proxy.Config) { c.MaxBodyBytes = 0 }, "must be positive"},
		"no answer":        {func(c *proxy.Config) { c.MaxAnswerBytes = -1 }, "must be positive"},
		"no upstream time": {func(c *proxy.Config) { c.UpstreamTime = 0 }, "must be positive"},
		"no queue":         {func(c *proxy.Config) { c.Queue = nil }, "must be set"},
		"no budget":        {func(c *proxy.Config) { c.Budget = nil }, "must be set"},
		"no request mode":  {route(func(r *proxy.Route) { r.Request = 0 }), "modes"},
		"no response mode": {route(func(r *proxy.Route) { r.Response = 0 }), "modes"},
		"unknown request":  {route(func(r *proxy.Route) { r.Request = proxy.BodyPlain + 1 }), "modes"},
		"unknown response": {route(func(r *proxy.Route) { r.Response = proxy.BodyPlain + 1 }), "modes"},
		"negative padding": {route(func(r *proxy.Route) { r.PadBytes = -1 }), "padding"},
		"a route twice":    {func(c *proxy.Config) { c.Routes = append(c.Routes, c.Routes[0]) }, "is listed twice"},
		"an empty path":    {path(""), "a path begins with /"},
		"no slash":         {path("a"), "a path begins with /"},
		"an escape":        {path("/%61"), "escaped"},
		"a query":          {path("/a?b"), "escaped"},
		"a blank":          {path("/a b"), "escaped"},
		"a letter of none": {path("/é"), "escaped"},
		"a fragment":       {path("/a#b"), "escaped"},
		"a disguise":       {route(func(r *proxy.Route) { r.ForwardHeaders = []string{"X-A", "X_Tenant"} }), "forwarded header"},
		"a header of none": {route(func(r *proxy.Route) { r.ForwardHeaders = []string{""} }), "forwarded header"},
		"a base with one":  {func(c *proxy.Config) { c.BasePath = "/b%20" }, "escaped"},
	} {
		config := goodConfig()
		c.lacks(&config)
		if p, err := proxy.New(config); err == nil || p != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoObserver: Observe may be nil.
func TestNoObserver(t *testing.T) {
	p, err := proxy.New(goodConfig())
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufioReader([]byte("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	w := &brokenWriter{header: http.Header{}}
	p.ServeHTTP(w, r)
	if w.inHeader != http.StatusNotFound {
		t.Errorf("status %d", w.inHeader)
	}
}
