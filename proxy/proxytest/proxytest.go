// Package proxytest starts a whole proxy for one test: TLS, a store, a project
// with an active key, an upstream that remembers what it was sent, and a caller.
package proxytest

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/memstore"
	"kmproxy/proxy"
	"kmproxy/proxy/auth"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/listen"
)

// ARSPath is the route that every Proxy has.
const ARSPath = "/api/v1/bankaccounts/ars/auth"

// ASPID is the service provider that every Proxy knows.
const ASPID keys.ASPID = "000000000000001"

// Setup changes the proxy's config before it starts.
type Setup func(*proxy.Config)

// Proxy is a running proxy and all that is around it.
type Proxy struct {
	URL      string
	Upstream *Upstream
	Caller   *caller.Caller // the project's own, with its active key
	Manager  *keys.Manager
	Live     *keys.Live
	Actor    keys.Actor
	HTTP     *http.Client
	Log      *Buffer
	Outcomes *Outcomes
	Handler  http.Handler // without TLS and listener
	CA       *x509.CertPool
}

// Start runs a proxy until the test ends.
func Start(t testing.TB, setups ...Setup) *Proxy {
	t.Helper()
	p := &Proxy{Upstream: startUpstream(t), Actor: keys.Actor{Name: "test"}, Log: &Buffer{}, Outcomes: &Outcomes{}}
	p.keys(t)
	upstream, err := url.Parse(p.Upstream.URL)
	must(t, err)
	c := proxy.Config{
		Routes: []proxy.Route{{Method: http.MethodPost, Path: ARSPath, Request: proxy.RequestEither,
			Response: proxy.ResponseMatch, PadBytes: 256}},
		Ring:     p.Live.Ring,
		Upstream: upstream, Transport: &http.Transport{DisableCompression: true}, UpstreamTime: 10 * time.Second,
		Zones:     auth.Zones{"UTC": time.UTC, "KST": time.FixedZone("KST", 9*60*60)},
		ClockSkew: 5 * time.Minute, MaxBodyBytes: 1 << 20, MaxAnswerBytes: 8 << 20,
		RSAWorkers: 2, QueueTime: 30 * time.Second, Now: time.Now,
		Log:     slog.New(slog.NewJSONHandler(p.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: p.Outcomes.observe,
	}
	for _, set := range setups {
		set(&c)
	}
	p.Handler, err = proxy.New(c)
	must(t, err)
	p.serve(t, c)
	return p
}

// keys makes a store with one project and one active key, and a ring that follows.
func (p *Proxy) keys(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	store := memstore.New()
	master, err := envelope.FromKeyFile(envelope.NewKeyFile())
	must(t, err)
	p.Manager, err = keys.NewManager(ctx, keys.Config{Store: store, Master: master, MaxPerProject: 2, Now: time.Now})
	must(t, err)
	p.Caller = &caller.Caller{Now: time.Now}
	p.AddProject(t, ASPID, p.Caller)
	p.AddKey(t, ASPID, p.Caller, 0)
	p.Live, err = keys.Open(ctx, store, master)
	must(t, err)
	go p.Live.Follow(ctx, func(err error) { p.Log.add("follow: " + err.Error()) })
}

// AddProject registers a service provider and gives its credentials to c.
func (p *Proxy) AddProject(t testing.TB, id keys.ASPID, c *caller.Caller) {
	t.Helper()
	issued, err := p.Manager.CreateProject(t.Context(), p.Actor, keys.NewProject{ASPID: id})
	must(t, err)
	c.ASPID, c.AccessKey, c.Secret = id, issued.AccessKey, issued.Secret
}

// AddKey makes a crypto key for a project and gives it to c. It waits until a
// running proxy knows it.
func (p *Proxy) AddKey(t testing.TB, id keys.ASPID, c *caller.Caller, state keys.State) keys.KeyID {
	t.Helper()
	server, client := NewRSA(t), NewRSA(t)
	key, err := p.Manager.CreateKey(t.Context(), p.Actor,
		keys.NewKey{ID: keys.NewKeyID(), ASPID: id, Server: server, Client: &client.PublicKey, State: state})
	must(t, err)
	c.KeyID = key.ID
	c.Server, err = jwk.NewPublic(&server.PublicKey, alg.All())
	must(t, err)
	c.Client, err = jwk.NewPrivate(client, alg.All())
	must(t, err)
	p.Settle(t)
	return key.ID
}

// Settle waits until the running proxy shows what was committed so far.
func (p *Proxy) Settle(t testing.TB) {
	t.Helper()
	if p.Live == nil {
		return
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if upToDate, err := p.Live.Current(t.Context()); err == nil && upToDate {
			return
		}
	}
	t.Fatal("the proxy does not follow its store")
}

func (p *Proxy) serve(t testing.TB, c proxy.Config) {
	t.Helper()
	ca, err := listen.NewLocalCA(time.Now())
	must(t, err)
	cert, err := x509.ParseCertificate(ca.Certificate())
	must(t, err)
	p.CA = x509.NewCertPool()
	p.CA.AddCert(cert)
	l, err := Listen()
	must(t, err)
	server := listen.New(listen.Config{Handler: p.Handler, Certificates: ca.Certificates([]string{"127.0.0.1"}, time.Now),
		AnswerTime: time.Minute, Log: c.Log})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	p.URL = "https://" + l.Addr().String()
	p.HTTP = p.Client(t)
	p.Caller.URL, p.Caller.HTTP = p.URL, p.HTTP
	t.Cleanup(func() {
		p.HTTP.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("stopping the proxy: %v", err)
		}
	})
}

// Buffer is a log that a test can read.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String is everything that was logged so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *Buffer) add(line string) { _, _ = io.WriteString(b, line+"\n") }

// Outcomes counts how requests ended.
type Outcomes struct {
	mu    sync.Mutex
	codes map[string]int
	total atomic.Int64
}

func (o *Outcomes) observe(out proxy.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.codes == nil {
		o.codes = map[string]int{}
	}
	o.codes[out.Code]++
	o.total.Add(1)
}

// Total is how many outcomes were observed: one a request, never two.
func (o *Outcomes) Total() int { return int(o.total.Load()) }

// Code is how many requests ended with a code; the empty code is the upstream's answer.
func (o *Outcomes) Code(code string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.codes[code]
}

// NewRSA makes an RSA-2048 key.
func NewRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := jwk.Generate(2048)
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
