package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/listen"
)

// lookAgain is how often certificate files are looked at.
const lookAgain = time.Second

// certificates is the source that tls.mode names. What must be followed runs
// until ctx ends.
func (g *Gateway) certificates(ctx context.Context, c config.Config, k *keyring) (listen.Certificates, error) {
	switch c.TLS.Mode {
	case config.TLSLocal:
		ca, err := k.localCA(ctx, c, g.world)
		if err != nil {
			return nil, err
		}
		return ca.Certificates(localNames(c.TLS.Hostnames), g.world.Now), nil
	case config.TLSFiles:
		files, err := listen.NewFiles(func() (tls.Certificate, error) {
			return tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
		})
		if err != nil {
			return nil, err
		}
		go files.Follow(ctx, lookAgain, func(changed bool, err error) { tellCertificate(g.log, changed, err) })
		return files.Certificate, nil
	case config.TLSACME:
		return func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return g.acme.Certificate(h) }, nil
	}
	return nil, fmt.Errorf("tls.mode %s is not built in", c.TLS.Mode)
}

func tellCertificate(log *slog.Logger, changed bool, err error) {
	if err != nil {
		log.Error("the certificate files cannot be used: the ones before stay", "error", err)
	} else if changed {
		log.Info("the certificate files changed and are in use")
	}
}

// localNames lets a certificate for localhost serve the loopback addresses too.
func localNames(hostnames []string) []string {
	if !slices.Contains(hostnames, "localhost") {
		return hostnames
	}
	return append(slices.Clone(hostnames), "127.0.0.1", "::1")
}

// pool reads the PEM certificates of a file; nil for no file.
func pool(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return p, nil
}
