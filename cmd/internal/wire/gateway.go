package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/status"
)

// Gateway is a whole kmproxy: both listeners and everything behind them.
type Gateway struct {
	world    World
	log      *slog.Logger
	config   config.Config
	vault    Vault
	live     *keys.Live
	counters status.Counters
	public   net.Listener
	admin    net.Listener
	current  atomic.Pointer[serving]
	stopping atomic.Bool
	end      context.CancelFunc // of what follows files and the store
}

// serving is what a reload replaces as a whole.
type serving struct {
	config       config.Config
	handler      http.Handler
	certificates listen.Certificates
	end          context.CancelFunc
}

// Build opens the store, the keys and the listeners. After it, connections are
// taken and wait for Run. Without an error, Run must follow.
func Build(ctx context.Context, c config.Config, w World, log *slog.Logger) (*Gateway, error) {
	vault, err := OpenVault(ctx, c, w, ToWrite)
	if err != nil {
		return nil, err
	}
	g := &Gateway{world: w, log: log, config: c, vault: vault}
	if g.live, err = keys.Open(ctx, vault.Store, vault.Master); err != nil {
		return nil, err
	}
	follow, end := context.WithCancel(context.WithoutCancel(ctx))
	g.end = end
	s, err := g.prepare(follow, c)
	if err != nil {
		end()
		return nil, err
	}
	g.current.Store(s)
	if err := g.listen(); err != nil {
		end()
		return nil, err
	}
	go g.live.Follow(follow, func(err error) {
		log.Error("the keys cannot be brought up to date: the ones before stay in use", "error", err)
	})
	return g, nil
}

// prepare builds what a reload replaces.
func (g *Gateway) prepare(ctx context.Context, c config.Config) (*serving, error) {
	h, err := handler(c, g.live, g.world, g.log, &g.counters)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	certs, err := certificates(ctx, c, g.vault, g.world, g.log)
	if err != nil {
		end()
		return nil, err
	}
	return &serving{config: c, handler: h, certificates: certs, end: end}, nil
}

func (g *Gateway) listen() error {
	var err error
	if g.public, err = net.Listen("tcp", g.config.Listen.Address); err != nil {
		return fmt.Errorf("listen.address: %w", err)
	}
	if g.admin, err = net.Listen("tcp", g.config.Admin.Address); err != nil {
		return errors.Join(fmt.Errorf("admin.address: %w", err), g.public.Close())
	}
	return nil
}

// PublicAddress is where the public listener is.
func (g *Gateway) PublicAddress() net.Addr { return g.public.Addr() }

// AdminAddress is where the admin listener is.
func (g *Gateway) AdminAddress() net.Addr { return g.admin.Addr() }

// Projects counts the projects in the keys' newest revision.
func (g *Gateway) Projects() int { return g.live.Ring().Projects() }

// Run serves until ctx ends and every request that was begun is answered, at
// most 30 seconds later. The admin listener stops last and says meanwhile that
// the proxy is not ready.
func (g *Gateway) Run(ctx context.Context) error {
	defer func() {
		g.current.Load().end()
		g.end()
	}()
	clients, err := pool(g.config.TLS.ClientCAFile)
	if err != nil {
		return errors.Join(fmt.Errorf("tls.client_ca_file: %w", err), g.public.Close(), g.admin.Close())
	}
	public := listen.New(listen.Config{
		Handler:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.current.Load().handler.ServeHTTP(w, r) }),
		Certificates: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return g.current.Load().certificates(h) },
		ClientCAs:    clients,
		AnswerTime:   g.config.Upstream.Timeout + queueTime,
		Log:          g.log,
	})
	admin := listen.New(listen.Config{Handler: status.Handler(&g.counters, g.ready), AnswerTime: time.Second, Log: g.log})

	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAdmin()
	adminDone := make(chan error, 1)
	go func() { adminDone <- admin.Serve(adminCtx, g.admin) }()
	noteStop := context.AfterFunc(ctx, func() { g.stopping.Store(true) })
	defer noteStop()
	err = public.Serve(ctx, g.public)
	stopAdmin()
	return errors.Join(err, <-adminDone)
}

// ready tells why the proxy should get no requests now.
func (g *Gateway) ready() error {
	if g.stopping.Load() {
		return errors.New("stopping")
	}
	if g.live.Err() != nil {
		return errors.New("the keys cannot be brought up to date: see the log")
	}
	return nil
}
