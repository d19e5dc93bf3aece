package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/listen"
)

// lookAgain is how often certificate files are looked at.
const lookAgain = time.Second

// certificates is the source that tls.mode names; all are the files that were read.
func (l *lasting) certificates(ctx context.Context, c config.Config, k *keyring, all []watched) (listen.Certificates, error) {
	switch c.TLS.Mode {
	case config.TLSLocal:
		ca, err := k.localCA(ctx, c, l.world)
		if err != nil {
			return nil, err
		}
		return ca.Certificates(localNames(c.TLS.Hostnames), l.world.Now), nil
	case config.TLSFiles:
		return named(all, "listen").files.Certificate, nil
	case config.TLSACME:
		return func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return l.acme.Certificate(h) }, nil
	}
	return nil, fmt.Errorf("tls.mode %s is not built in", c.TLS.Mode)
}

// localNames lets a certificate for localhost serve the loopback addresses too.
func localNames(hostnames []string) []string {
	if !slices.Contains(hostnames, "localhost") {
		return hostnames
	}
	return append(slices.Clone(hostnames), "127.0.0.1", "::1")
}
