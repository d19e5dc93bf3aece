package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/arsdemo"
	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
)

// demoData is past what an int64 holds, and arrives as it is.
const demoData = `{"userId":9999999999999999999}`

func demoCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "show an encrypted call from end to end, in one process and with nothing to set up",
		Action: e.action(demo),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "once", Usage: "end after the call"},
			&cli.StringFlag{Name: "dir", Usage: "keep config, store and keys in `DIR` (default: a folder that is removed at the end)"},
		},
	}
}

func demo(e *env, c *cli.Context) (r result, err error) {
	e.detachLog()
	parent, stopHUP := untilHangup(c.Context)
	defer stopHUP()
	e.ended = parent.Done()
	dir, remove, err := e.demoDir(c.String("dir"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()

	ctx, stop := context.WithCancel(parent)
	defer stop()
	s, err := e.stage(ctx, dir, c.Bool("once"))
	if err != nil {
		return nil, explain(err)
	}
	defer runtime.KeepAlive(e.collect(s.gateway.Collector()))
	done := make(chan error, 2)
	go func() { done <- s.gateway.Run(ctx) }()
	go func() { done <- s.ars.Serve(ctx) }()

	views, err := s.call(ctx)
	if err == nil {
		err = e.print(views)
	}
	if err == nil && !c.Bool("once") {
		if !e.json { // there, the views are the one document
			err = e.print(s.commands())
		}
		select {
		case <-ctx.Done():
		case early := <-done:
			done <- early
		}
	}
	stop()
	return nil, errors.Join(err, <-done, <-done)
}

func (e *env) demoDir(given string) (dir string, remove func() error, err error) {
	if given != "" {
		if dir, err = filepath.Abs(e.path(given)); err != nil {
			return "", nil, err
		}
		return dir, func() error { return nil }, os.MkdirAll(dir, 0o700)
	}
	dir, err = os.MkdirTemp("", "kmproxy-demo-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// stage is everything a demo needs, set up and not yet running.
type stage struct {
	dir      string
	config   config.Config
	ars      *arsdemo.Server
	gateway  *wire.Gateway
	provider provider
}

// stage sets up the demo in dir. A demo that is called once takes any free ports.
func (e *env) stage(ctx context.Context, dir string, once bool) (*stage, error) {
	s := &stage{dir: dir, config: config.Default(dir)}
	var err error
	if s.ars, err = arsdemo.Listen(preferred("127.0.0.1:9080", once)); err != nil {
		return nil, fmt.Errorf("starting the ARS service: %w", err)
	}
	s.config.Upstream.URL = s.ars.URL()
	s.config.Listen.Address = preferred("127.0.0.1:8443", once)
	s.config.Admin.Address = preferred("127.0.0.1:9443", once)
	if s.provider, err = e.enrol(ctx, s.config, dir); err != nil {
		return nil, err
	}
	if s.gateway, err = wire.Build(ctx, s.config, e.world(), serviceLog(e.stderr, slog.LevelWarn)); err != nil {
		return nil, err
	}
	s.config.Listen.Address = s.gateway.PublicAddress().String()
	s.config.Admin.Address = s.gateway.AdminAddress().String()
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(s.config.Effective()), 0o600); err != nil {
		return nil, fmt.Errorf("writing the demo's config: %w", err)
	}
	return s, nil
}

// call makes the encrypted call and collects the three views of it.
func (s *stage) call(ctx context.Context) (demoViews, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	who, err := s.provider.caller(s.config)
	if err != nil {
		return demoViews{}, err
	}
	x, err := who.Call(ctx, arsdemo.Path, []byte(demoData))
	if err != nil {
		return demoViews{}, fmt.Errorf("making the encrypted call: %w", err)
	}
	if x.Status != 200 || !x.Encrypted {
		return demoViews{}, fmt.Errorf("making the encrypted call: it was answered with status %d, encrypted: %t", x.Status, x.Encrypted)
	}
	return newDemoViews(x, s.ars.Last()), nil
}
