package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/listen/acme"
)

// acmeFolder is where in the data folder certificates by ACME and their keys are.
const acmeFolder = "acme"

// authority keeps certificates by ACME, and listens for HTTP-01.
type authority struct {
	*acme.Manager
	http net.Listener // nil: HTTP-01 is off
	log  *slog.Logger
}

// openAuthority takes the port for HTTP-01. public is where the public listener is.
// Without an error, run must follow.
func openAuthority(c config.Config, public net.Addr, log *slog.Logger) (*authority, error) {
	roots, err := authorities("tls.acme.ca_root_file", c.TLS.ACME.CARootFile)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(c.Listen.Address)
	if err != nil {
		return nil, fmt.Errorf("listen.address: %w", err)
	}
	_, port, err := net.SplitHostPort(public.String())
	if err != nil {
		return nil, fmt.Errorf("listen.address: %w", err)
	}
	tlsPort, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("listen.address: %w", err)
	}
	a := &authority{log: log}
	if c.TLS.ACME.HTTPPort != 0 {
		if a.http, err = listenOn(httpPortKey, net.JoinHostPort(host, strconv.Itoa(c.TLS.ACME.HTTPPort))); err != nil {
			return nil, err
		}
	}
	a.Manager, err = acme.New(acme.Config{Directory: c.TLS.ACME.Directory, Email: c.TLS.ACME.Email, Roots: poolOf(roots), Hostnames: c.TLS.Hostnames,
		Folder: filepath.Join(c.Store.Dir, acmeFolder), Host: host, HTTPPort: c.TLS.ACME.HTTPPort, TLSPort: tlsPort, Log: log})
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (a *authority) close() error {
	if a.http == nil {
		return nil
	}
	return a.http.Close()
}

// run keeps the certificates and answers HTTP-01 until ctx ends.
func (a *authority) run(ctx context.Context) (err error) {
	var parts sync.WaitGroup
	parts.Go(func() { a.Run(ctx) })
	if a.http != nil {
		challenges := listen.New(listen.Config{Handler: a.Challenges(), AnswerTime: time.Second, Log: a.log,
			Limits: listen.Limits{Conns: 256, ConnsPerAddress: 16}}) // an ACME server asks a few times an issue
		err = challenges.Serve(ctx, a.http)
		if err != nil {
			a.log.Error("HTTP-01 challenges are not answered any more", "error", err)
		}
	}
	parts.Wait()
	return err
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
