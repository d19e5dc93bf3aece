package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
)

func serveCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:   "serve",
		Usage:  "run the proxy until it is told to stop; SIGHUP reads the config again",
		Action: e.action(serve),
	}
}

func serve(e *env, c *cli.Context) (result, error) {
	e.detach()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // one that comes during the start reads the config again after it
	defer signal.Stop(hup)
	cfg, err := e.config(c)
	if err != nil {
		return nil, err
	}
	if _, err := wire.CheckFiles(cfg, e.world()); err != nil {
		return nil, err
	}
	log := serviceLog(e.stderr, slog.LevelInfo)
	g, err := wire.Build(c.Context, cfg, e.world(), log)
	if err != nil {
		return nil, explain(err)
	}
	defer runtime.KeepAlive(e.collect(g.Collector())) // not before all keys are read: while the heap only grows it would collect too often
	log.Info("serving", "version", version(), "go", runtime.Version(), "rsa", rsaBy(), "address", g.PublicAddress().String(), "admin", g.AdminAddress().String(),
		"upstream", fmt.Sprint(cfg.Upstream.Servers()), "store", cfg.Store.String(), "projects", g.Projects())
	go e.reloads(c, g, log, hup)
	service := notifier{log}
	service.ready()
	defer context.AfterFunc(c.Context, service.stopping)()
	err = g.Run(c.Context)
	log.Info("stopped")
	return nil, err
}

// reloads reads the config again at each SIGHUP, until the context ends.
func (e *env) reloads(c *cli.Context, g *wire.Gateway, log *slog.Logger, hup <-chan os.Signal) {
	service := notifier{log}
	for {
		select {
		case <-c.Context.Done():
			return
		case <-hup:
			service.reloading()
			if err := e.reload(c.Context, c, g); err != nil {
				log.Error("the new config is refused: the one before stays in use", "error", err)
			} else {
				log.Info("the new config is in use")
			}
			service.ready()
		}
	}
}

func (e *env) reload(ctx context.Context, c *cli.Context, g *wire.Gateway) error {
	cfg, err := e.config(c)
	if err != nil {
		return err
	}
	if _, err := wire.CheckFiles(cfg, e.world()); err != nil {
		return err
	}
	return g.Reload(ctx, cfg)
}

// serviceLog is the service's log. The standard library's own logger is silenced:
// net/http quotes through it what an upstream sent out of turn.
func serviceLog(w io.Writer, level slog.Level) *slog.Logger {
	log.SetOutput(io.Discard)
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
