package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/filestore"
	"kmproxy/keys/usage"
	"kmproxy/proxy"
	"kmproxy/proxy/cek"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/origin"
	"kmproxy/proxy/queue"
	"kmproxy/proxy/replay"
	"kmproxy/proxy/status"
)

// Gateway is a whole kmproxy: both listeners and everything behind them.
type Gateway struct {
	world    World
	log      *slog.Logger
	config   config.Config
	counters status.Counters
	usage    usage.Counter
	queue    *queue.Queue  // outlives reloads, as the next
	budget   *proxy.Budget // of the bytes of bodies
	calls    *proxy.Calls  // pending at the upstream
	replay   *replay.Memory
	ledger   *filestore.Ledger
	counted  []keys.Use // by processes before this one
	sockets  sockets
	table    listen.Limits    // of connections: what the descriptors suffice for
	failures *listen.Failures // of TLS handshakes
	acme     *authority       // nil unless tls.mode is "acme"
	clients  *x509.CertPool   // nil: client certificates are not demanded
	current  atomic.Pointer[serving]
	stopping atomic.Bool
}

// serving is what a reload replaces as a whole.
type serving struct {
	config       config.Config
	keys         *keyring // may be that of the one before
	handler      *proxy.Proxy
	contentKeys  *cek.Cache // nil: none are remembered
	certificates listen.Certificates
	watched      []watched // certificates whose dates are told
	end          func()    // of what follows files, and of what rests
}

// Build opens the store, the keys and the listeners. After it, connections are
// taken and wait for Run. Without an error, Run must follow.
func Build(ctx context.Context, c config.Config, w World, log *slog.Logger) (*Gateway, error) {
	k, err := openKeyring(ctx, c, w, nil, log)
	if err != nil {
		return nil, err
	}
	fit := fitDescriptors(c.Limits, log)
	g := &Gateway{world: w, log: log, config: c, queue: newQueue(), budget: proxy.NewBudget(c.Limits.BodyMemoryBytes), calls: proxy.NewCalls(fit.UpstreamCalls), table: limits(fit),
		replay: newReplay(c.Limits.ReplayRequests), failures: listen.NewFailures(log, w.Now)}
	if err := g.build(ctx, k); err != nil {
		k.end()
		return nil, err
	}
	return g, nil
}

func (g *Gateway) build(ctx context.Context, k *keyring) (err error) {
	clients, err := authorities("tls.client_ca_file", g.config.TLS.ClientCAFile)
	if err != nil {
		return err
	}
	g.clients = poolOf(clients)
	if g.ledger, g.counted, err = k.vault.Store.OpenLedger(); err != nil {
		return err
	}
	if err := g.keepReplay(g.config); err != nil {
		return errors.Join(err, g.ledger.Close())
	}
	s, err := g.prepare(ctx, g.config, k)
	if err != nil {
		g.replay.Close()
		return errors.Join(err, g.ledger.Close())
	}
	g.current.Store(s)
	if err := g.listen(); err != nil { // last: what it opens, Run closes
		s.end()
		g.replay.Close()
		return errors.Join(err, g.ledger.Close())
	}
	return nil
}

// prepare builds what a reload replaces. It lasts until its end is called,
// whatever becomes of ctx.
func (g *Gateway) prepare(ctx context.Context, c config.Config, k *keyring) (*serving, error) {
	files, err := watch(c, g.world)
	if err != nil {
		return nil, err
	}
	toUpstream, err := transport(c.Upstream, files, g.world.Now)
	if err != nil {
		return nil, err
	}
	contentKeys := newContentKeys(c.CEKCache)
	h, err := g.handler(c, k, toUpstream, contentKeys)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := func() { cancel(); toUpstream.Close() }
	certs, err := g.certificates(ctx, c, k, files)
	if err != nil {
		end()
		return nil, err
	}
	g.follow(ctx, files)
	if path := c.Upstream.HealthPath; path != "" {
		go h.Upstream().Check(ctx, path, c.Upstream.HealthInterval, g.tellUpstream)
	}
	if contentKeys != nil {
		go g.sweep(ctx, contentKeys, k.live)
	}
	return &serving{config: c, keys: k, handler: h, contentKeys: contentKeys, certificates: certs, watched: files, end: end}, nil
}

func (g *Gateway) listen() (err error) {
	if g.sockets, err = openSockets(g.config); err != nil {
		return err
	}
	if g.config.TLS.Mode != config.TLSACME {
		return nil
	}
	if g.acme, err = openAuthority(g.config, g.sockets.public.Addr(), g.log); err != nil {
		g.sockets.close()
	}
	return err
}

// PublicAddress is where the public listener is.
func (g *Gateway) PublicAddress() net.Addr { return g.sockets.public.Addr() }

// AdminAddress is where the admin listener is.
func (g *Gateway) AdminAddress() net.Addr { return g.sockets.admin.Addr() }

// Projects counts the projects in the keys' newest revision.
func (g *Gateway) Projects() int { return g.current.Load().keys.live.Ring().Projects() }

// Run serves until ctx ends and every request that was begun is answered, at
// most 30 seconds later. The admin listener stops last and says meanwhile that
// the proxy is not ready.
func (g *Gateway) Run(ctx context.Context) error {
	defer func() {
		last := g.current.Load()
		last.end()
		last.keys.end()
	}()
	admin := listen.New(listen.Config{Handler: status.Handler(status.Config{Counters: &g.counters, Gauges: g.gauges, Ready: g.ready}), AnswerTime: time.Second, Log: g.log})
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAdmin()
	adminDone := make(chan error, 1)
	go func() { adminDone <- admin.Serve(adminCtx, g.sockets.admin) }()
	noteStop := context.AfterFunc(ctx, func() { g.stopping.Store(true) })
	defer noteStop()
	go g.tellCertificates(adminCtx)
	kept := g.keepUsage()
	keptCerts := g.keepCertificates(ctx)
	err := listen.New(g.front()).Serve(ctx, g.sockets.public)
	g.replay.Close()
	stopAdmin()
	return errors.Join(err, keptCerts(), kept(), <-adminDone)
}

// front is the public listener, which goes by what is current.
func (g *Gateway) front() listen.Config {
	c := listen.Config{
		Handler:       http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.current.Load().handler.ServeHTTP(w, r) }),
		Certificates:  func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return g.current.Load().certificates(h) },
		ClientCAs:     g.clients,
		AskClients:    func() bool { return g.current.Load().keys.live.Ring().Pinned() },
		AnswerTime:    g.config.Upstream.Timeout + queueTime,
		Limits:        g.table,
		Trusted:       func() origin.Trusted { return g.current.Load().config.Listen.TrustedProxies },
		ProxyProtocol: func() bool { return g.current.Load().config.Listen.ProxyProtocol },
		Failures:      g.failures,
		Reserve:       g.budget.Connect,
		Release:       g.budget.Disconnect,
		Log:           g.log,
	}
	if g.acme != nil {
		c.Challenge = g.acme.Certificate
	}
	return c
}

// keepCertificates gets and renews certificates by ACME, if that is where they
// come from, until ctx ends. What it returns waits for the end.
func (g *Gateway) keepCertificates(ctx context.Context) (ended func() error) {
	if g.acme == nil {
		return func() error { return nil }
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- g.acme.run(ctx) }()
	return func() error {
		stop()
		return <-done
	}
}

// freshPerAddress is how many connections of one address may be without a request
// yet: far more than honest callers open in the time of a handshake.
const freshPerAddress = 1024

func limits(l config.Limits) listen.Limits {
	return listen.Limits{Conns: l.Connections, ConnsPerAddress: l.ConnectionsPerAddress, FreshPerAddress: freshPerAddress}
}

func (g *Gateway) tellUpstream(url string, well bool) {
	if well {
		g.log.Info("a server of the upstream is well again", "url", url)
	} else {
		g.log.Warn("a server of the upstream is passed over until it is well", "url", url)
	}
}

// gauges are what the proxy holds now.
func (g *Gateway) gauges() []status.Gauge {
	k, contentKeys := g.current.Load().keys, g.current.Load().contentKeys
	own := []status.Gauge{
		{Name: "kmproxy_goroutines", Help: "Goroutines.", Value: float64(runtime.NumGoroutine())},
		{Name: "kmproxy_body_bytes", Help: "Bytes that connections, requests and bodies reserve, of limits.body_memory.", Value: float64(g.budget.Held())},
		{Name: "kmproxy_upstream_calls", Help: "Calls that are pending at the upstream, of limits.upstream_calls.", Value: float64(g.calls.Pending())},
		{Name: "kmproxy_private_key_queue", Help: "Requests that wait for a private-key operation.", Value: float64(g.queue.Waiting())},
		{Name: "kmproxy_replay_requests", Help: "Requests in the replay memory, of limits.replay_requests.", Value: float64(g.replay.Len())},
		{Name: "kmproxy_replay_unwritten", Help: "Records of the replay memory that are in no file: a restart would forget them.", Value: float64(g.replay.Unwritten())},
		{Name: "kmproxy_content_keys", Help: "Content keys that are remembered, of cek_cache.entries.", Value: float64(contentKeys.Held())},
		{Name: "kmproxy_content_key_uses", Help: "Messages that were opened under one of them since the config was read.", Value: float64(contentKeys.Hits())},
		{Name: "kmproxy_projects", Help: "Projects in the keys that are served.", Value: float64(g.Projects())},
		{Name: "kmproxy_store_revision", Help: "Revision of the store that is served.", Value: float64(k.live.Ring().Revision())},
		{Name: "kmproxy_store_newest_revision", Help: "Highest revision that the store was seen to have.", Value: float64(k.live.Newest())},
		{Name: "kmproxy_store_stale_seconds", Help: "Seconds since the store could last be followed; 0 while it is.", Value: k.stale().Seconds()},
		{Name: "kmproxy_log_lines_dropped_total", Help: "Log lines that were dropped because the log's reader did not take them.", Value: float64(g.world.logDrops()), Counter: true},
	}
	return slices.Concat(own, g.handshakes(), g.certificateGauges())
}

// keepUsage writes down who uses which key until the function it returns is
// called, which comes back when the ledger is complete.
func (g *Gateway) keepUsage() (complete func() error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.usage.Keep(ctx, g.counted, g.ledger.Write, func(err error) {
			g.log.Error("the usage ledger cannot be written: it is tried again", "error", err)
		})
	}()
	return func() error {
		stop()
		<-done
		return g.ledger.Close()
	}
}

// ready tells why the proxy should get no requests now, or what will be trouble
// later. A store that cannot be followed is a reason only if the config says so:
// all that was there before can still be served.
func (g *Gateway) ready() (note string, err error) {
	if g.stopping.Load() {
		return "", errors.New("stopping")
	}
	now := g.current.Load()
	var notes []string
	if store := now.keys.note(now.config); store != "" {
		notes = append(notes, store)
		if now.keys.tooStale(now.config) {
			return "", errors.New(store)
		}
	}
	if g.acme != nil {
		certificate, err := g.acme.Ready(g.world.Now())
		if err != nil {
			return "", err
		}
		notes = append(notes, certificate)
	}
	for _, url := range now.handler.Upstream().Trouble() {
		notes = append(notes, url+" is passed over")
	}
	notes = append(notes, notesOf(now.watched, g.world.Now())...)
	if err := g.replay.Trouble(); err != nil {
		notes = append(notes, err.Error())
	}
	notes = slices.DeleteFunc(notes, func(line string) bool { return line == "" })
	return strings.Join(notes, "\n"), nil
}
