// Package acme gets the listener's certificates from an ACME server (RFC 8555)
// and keeps them: it renews them, staples OCSP answers and replaces what was
// revoked. certmagic does the work, with a cache and a config of our own.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ErrConfig reports a Config that lacks something.
var ErrConfig = errors.New("acme: hostnames, a folder and a log must be set")

// Config configures a Manager. Making a Manager accepts the ACME server's terms of
// service.
type Config struct {
	Directory  string         // https URL; empty: Let's Encrypt
	Email      string         // for the ACME server's account; may be empty
	Roots      *x509.CertPool // of the ACME server's own certificate; nil: the system's
	Hostnames  []string       // DNS names and IP addresses; each gets a certificate of its own
	Folder     string         // account, certificates and keys; made with mode 0700
	Host       string         // where the listeners below are; empty: every address
	HTTPPort   int            // of the listener that serves Challenges; 0: HTTP-01 is off
	TLSPort    int            // of the listener that serves Certificate
	CheckEvery time.Duration  // how often renewal and OCSP are looked at; 0: certmagic's 10 minutes and 1 hour
	Log        *slog.Logger
}

// Manager keeps certificates. It is safe for concurrent use.
type Manager struct {
	c      Config
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer

	mu      sync.Mutex
	failing map[string]bool // hostnames whose last attempt failed
}

// New makes a Manager that does nothing yet. Without an error, Run must follow.
func New(c Config) (*Manager, error) {
	if len(c.Hostnames) == 0 || c.Folder == "" || c.Log == nil {
		return nil, ErrConfig
	}
	if err := errors.Join(os.MkdirAll(c.Folder, 0o700), os.Chmod(c.Folder, 0o700)); err != nil {
		return nil, fmt.Errorf("making the folder for certificates: %w", err)
	}
	names := make([]string, len(c.Hostnames))
	for i, name := range c.Hostnames {
		names[i] = strings.ToLower(name)
	}
	c.Hostnames = names
	m := &Manager{c: c, failing: map[string]bool{}}
	log := zap.New(bridge{c.Log})
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return m.magic, nil },
		RenewCheckInterval: c.CheckEvery,
		OCSPCheckInterval:  c.CheckEvery,
		Logger:             log,
	})
	m.magic = certmagic.New(m.cache, certmagic.Config{
		Storage:           &certmagic.FileStorage{Path: c.Folder},
		DefaultServerName: c.Hostnames[0], // for clients that name none
		OnEvent:           m.event,
		Logger:            log,
	})
	m.issuer = certmagic.NewACMEIssuer(m.magic, certmagic.ACMEIssuer{
		CA: c.Directory, Email: c.Email, TrustedRoots: c.Roots, Agreed: true,
		ListenHost: c.Host, AltHTTPPort: c.HTTPPort, AltTLSALPNPort: c.TLSPort,
		DisableHTTPChallenge: c.HTTPPort == 0,
		Logger:               log,
	})
	m.magic.Issuers = []certmagic.Issuer{m.issuer}
	return m, nil
}

// Run gets the certificates that are missing and keeps all of them until ctx
// ends. The listeners must be there already.
func (m *Manager) Run(ctx context.Context) {
	var names sync.WaitGroup
	for _, name := range m.c.Hostnames {
		names.Go(func() {
			if m.stored(ctx, name) || m.reach(ctx, name) {
				// nothing fails here: what it begins reports to event
				_ = m.magic.ManageAsync(ctx, []string{name})
			}
		})
	}
	<-ctx.Done()
	names.Wait()
	m.cache.Stop()
}

// Certificate is the certificate of a handshake, or in one of acme-tls/1 the
// answer to a challenge that is under way (RFC 8737 §3). It fails while there is
// none.
func (m *Manager) Certificate(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return m.magic.GetCertificate(h)
}

// Challenges answers the challenges of HTTP-01 that are under way (RFC 8555
// §8.3), and everything else with 404.
func (m *Manager) Challenges() http.Handler {
	return m.issuer.HTTPChallengeHandler(http.NotFoundHandler())
}

// stored reports whether a certificate was obtained already, perhaps by an earlier
// process.
func (m *Manager) stored(ctx context.Context, name string) bool {
	return m.magic.Storage.Exists(ctx, certmagic.StorageKeys.SiteCert(m.issuer.IssuerKey(), name))
}
