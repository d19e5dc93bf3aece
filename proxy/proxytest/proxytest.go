// Package proxytest starts a whole proxy for one test: TLS, a store, a project
// with an active key, an upstream that remembers what it was sent, and a caller.
package proxytest

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/keys/ring"
	"kmproxy/proxy"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/queue"
	"kmproxy/proxy/upstream"
)

// ARSPath is the route that every Proxy has.
const ARSPath = "/api/v1/bankaccounts/ars/auth"

// ASPID is the service provider that every Proxy knows.
const ASPID keys.ASPID = "000000000000001"

// Setup changes the proxy's config before it starts.
type Setup func(*proxy.Config)

// Proxy is a running proxy and all that is around it. When the test ends it
// fails unless every request had exactly one Outcome.
type Proxy struct {
	URL      string
	Upstream *Upstream
	Caller   *caller.Caller // the project's own, with its active key
	Manager  *manage.Manager
	Store    keys.Store
	live     *ring.Live
	Actor    keys.Actor
	HTTP     *http.Client
	Log      *Buffer
	Outcomes *Outcomes
	Handler  http.Handler // without TLS and listener
	Proxy    *proxy.Proxy // what Handler counts the requests of
	CA       *x509.CertPool
	CACert   []byte // the same, in DER

	MasterKey sensitive.Bytes   // the key file that seals the store
	Private   []*rsa.PrivateKey // every private half that was made for it
}

// Start runs a proxy until the test ends.
func Start(t testing.TB, setups ...Setup) *Proxy {
	t.Helper()
	p := &Proxy{Upstream: startUpstream(t), Actor: keys.Actor{Name: "test"}, Log: &Buffer{}, Outcomes: &Outcomes{}}
	p.keys(t)
	c := p.config(t)
	for _, set := range setups {
		set(&c)
	}
	var err error
	p.Proxy, err = proxy.New(c)
	must(t, err)
	p.Handler = p.Outcomes.count(p.Proxy)
	p.serve(t, c)
	return p
}

func (p *Proxy) config(t testing.TB) proxy.Config {
	to, err := url.Parse(p.Upstream.URL)
	must(t, err)
	transport := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted((&net.Dialer{}).DialContext), TLS: &tls.Config{MinVersion: tls.VersionTLS12},
		HandshakeTime: 10 * time.Second, MaxIdle: 100, IdleTime: time.Minute, MaxAge: time.Hour, MaxHeaderBytes: 64 << 10, Now: time.Now})
	t.Cleanup(transport.Close)
	return proxy.Config{
		Routes: []proxy.Route{{Method: http.MethodPost, Path: ARSPath, Request: proxy.BodyEither,
			Response: proxy.BodyEither, PadBytes: 256}},
		Ring:      p.live.Ring,
		Upstreams: []*url.URL{to}, Transport: transport, UpstreamTime: 10 * time.Second,
		Zones:     kona.Zones{"UTC": time.UTC, "KST": time.FixedZone("KST", 9*60*60)},
		ClockSkew: 5 * time.Minute, MaxBodyBytes: 1 << 20, MaxAnswerBytes: 8 << 20,
		Queue:  queue.New(queue.Config{Places: 2, Depth: 1000, Wait: 30 * time.Second}),
		Budget: proxy.NewBudget(256 << 20), Now: time.Now,
		Log:     slog.New(slog.NewJSONHandler(p.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: p.Outcomes.observe,
	}
}

func (p *Proxy) serve(t testing.TB, c proxy.Config) {
	t.Helper()
	ca, err := listen.NewLocalCA(time.Now())
	must(t, err)
	cert, err := x509.ParseCertificate(ca.Certificate())
	must(t, err)
	p.CA, p.CACert = x509.NewCertPool(), cert.Raw
	p.CA.AddCert(cert)
	l, err := Listen()
	must(t, err)
	server := listen.New(listen.Config{Handler: p.Handler, Certificates: ca.Certificates([]string{"127.0.0.1"}, time.Now),
		AskClients: func() bool { return p.live.Ring().Pinned() },
		AnswerTime: time.Minute, Log: c.Log})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	p.URL = "https://" + l.Addr().String()
	p.HTTP = p.client(t)
	p.Caller.URL, p.Caller.HTTP = p.URL, p.HTTP
	t.Cleanup(func() {
		p.HTTP.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("stopping the proxy: %v", err)
		}
		p.Outcomes.settle(t)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
