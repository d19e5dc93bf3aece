package wire

import (
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/upstream"
)

// transport is the way to the upstream: pooled, TLS where the URL says so.
func transport(c config.Upstream, now func() time.Time) (*upstream.Client, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if t.RootCAs, err = pool(c.CAFile); err != nil {
		return nil, fmt.Errorf("upstream.ca_file: %w", err)
	}
	if c.ClientCertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.ClientCertFile, c.ClientKeyFile)
		if err != nil {
			return nil, fmt.Errorf("upstream.client_cert_file: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	patience := min(5*time.Second, c.Timeout)
	return upstream.NewClient(upstream.ClientConfig{
		Dial:           upstream.Counted((&net.Dialer{Timeout: patience, KeepAlive: 30 * time.Second}).DialContext),
		TLS:            t,
		ServerName:     c.ServerName,
		HandshakeTime:  patience,
		MaxIdle:        256,
		IdleTime:       time.Minute,
		MaxAge:         time.Minute,
		MaxHeaderBytes: 64 << 10,
		Now:            now,
	}), nil
}
