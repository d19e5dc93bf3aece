package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/caller"
)

const callTime = 30 * time.Second

// caller makes a service provider of the flags.
func (e *env) caller(c *cli.Context) (*caller.Caller, error) {
	out := &caller.Caller{Now: e.now, AccessKey: keys.AccessKey(c.String("access-key"))}
	var err error
	if out.ASPID, err = keys.ParseASPID(c.String("asp-id")); err != nil {
		return nil, usageError("", "--asp-id: %w", err)
	}
	secret := c.String("secret-key")
	if secret == "" {
		secret = e.getenv("KMPROXY_SECRET_KEY")
	}
	if secret == "" {
		return nil, usageError("it signs the call", "--secret-key or $KMPROXY_SECRET_KEY is missing")
	}
	out.Secret = sensitive.New([]byte(secret))
	if err := e.callerKeys(c, out); err != nil {
		return nil, err
	}
	return out, e.callerWay(c, out)
}

// callerKeys reads the keys that are given; an encrypted call needs all of them.
func (e *env) callerKeys(c *cli.Context, out *caller.Caller) (err error) {
	for _, name := range []string{"key-id", "server-public-key", "client-private-key"} {
		if !c.IsSet(name) && !c.Bool("plain") {
			return usageError("a call that is not encrypted is made with --plain", "--%s is missing", name)
		}
	}
	out.KeyID = keys.KeyID(c.String("key-id"))
	if c.IsSet("server-public-key") {
		public, err := e.publicKey(c.String("server-public-key"))
		if err != nil {
			return fmt.Errorf("--server-public-key: %w", err)
		}
		if out.Server, err = jwk.NewPublic(public, alg.All()); err != nil {
			return fmt.Errorf("--server-public-key: %w", err)
		}
	}
	if c.Bool("reuse-key") {
		if c.Bool("plain") {
			return usageError("", "--reuse-key: with --plain nothing is encrypted")
		}
		if out.Reuse, err = jwe.NewSealer(out.Server, alg.Preferred()); err != nil {
			return fmt.Errorf("--reuse-key: %w", err)
		}
	}
	if c.IsSet("client-private-key") {
		private, err := e.privateKey(c.String("client-private-key"))
		if err != nil {
			return fmt.Errorf("--client-private-key: %w", err)
		}
		if out.Client, err = jwk.NewPrivate(private, alg.All()); err != nil {
			return fmt.Errorf("--client-private-key: %w", err)
		}
	}
	return nil
}

// callerWay finds the proxy. What is not given comes from the config.
func (e *env) callerWay(c *cli.Context, out *caller.Caller) error {
	ca := c.String("ca")
	if ca != "" {
		ca = e.path(ca)
	}
	out.URL = c.String("url")
	if out.URL == "" || ca == "" {
		cfg, err := e.config(c)
		switch {
		case err != nil && out.URL == "":
			return err
		case err == nil:
			out.URL, ca = fromConfig(cfg, out.URL, ca)
		}
	}
	roots, err := rootsOf(ca)
	if err != nil {
		return fmt.Errorf("--ca: %w", err)
	}
	out.HTTP = &http.Client{Timeout: callTime, Transport: &http.Transport{ForceAttemptHTTP2: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	return nil
}

func fromConfig(cfg config.Config, url, ca string) (string, string) {
	if url == "" {
		host, port, _ := net.SplitHostPort(cfg.Listen.Address) // the config was checked
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		url = "https://" + net.JoinHostPort(host, port) + cfg.Listen.BasePath
	}
	if local := filepath.Join(cfg.Store.Dir, wire.CAFile); ca == "" && cfg.TLS.Mode == config.TLSLocal {
		if _, err := os.Stat(local); !errors.Is(err, fs.ErrNotExist) {
			ca = local
		}
	}
	return url, ca
}

// rootsOf reads the certificates of a file; none for no file: the system's.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := wire.ReadPublicFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return roots, nil
}
