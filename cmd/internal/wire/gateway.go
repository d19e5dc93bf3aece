package wire

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/status"
)

// Gateway is a whole kmproxy: both listeners and everything behind them. Its parts are
// of two kinds: lasting is there from the start to the end, and current is what the
// config of the last reload made of it. Safe for concurrent use; Reload is called by one
// goroutine at a time.
type Gateway struct {
	*lasting
	current  atomic.Pointer[serving]
	stopping atomic.Bool
}

// Build opens the store, the keys and the listeners. After it, connections are
// taken and wait for Run. Without an error, Run must follow.
func Build(ctx context.Context, c config.Config, w World, log *slog.Logger) (*Gateway, error) {
	k, err := openKeyring(ctx, c, w, nil, log)
	if err != nil {
		return nil, err
	}
	g := &Gateway{lasting: newLasting(c, w, log)}
	if err := g.build(ctx, k); err != nil {
		k.end()
		return nil, err
	}
	return g, nil
}

func (g *Gateway) build(ctx context.Context, k *keyring) error {
	if err := g.open(ctx, k.vault.Store); err != nil {
		return err
	}
	s, err := g.prepare(ctx, g.config, k)
	if err != nil {
		return errors.Join(err, g.close())
	}
	g.current.Store(s)
	if err := g.listen(); err != nil { // last: what it opens, Run closes
		s.end()
		return errors.Join(err, g.close())
	}
	return nil
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
