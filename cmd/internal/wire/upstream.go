package wire

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/upstream"
)

// transport is the way to the upstream: pooled, TLS where the URL says so, and
// nothing done that was not asked for (no environment's proxy, no decompression).
func transport(c config.Upstream) (*http.Transport, error) {
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
	return &http.Transport{
		DialContext:            upstream.Counted((&net.Dialer{Timeout: min(5*time.Second, c.Timeout), KeepAlive: 30 * time.Second}).DialContext),
		TLSClientConfig:        t,
		TLSHandshakeTimeout:    min(5*time.Second, c.Timeout),
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}, nil
}
