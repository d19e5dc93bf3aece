package wire

import (
	"crypto/tls"
	"net"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/upstream"
)

// transport is the way to the upstream: pooled, TLS where the URL says so.
func transport(c config.Upstream, all []watched, now func() time.Time) (*upstream.Client, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: poolOf(named(all, "upstream_ca").list)}
	if pair := named(all, "upstream_client").files; pair != nil {
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.Certificate(nil) }
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

func (l *lasting) tellUpstream(url string, well bool) {
	if well {
		l.log.Info("a server of the upstream is well again", "url", url)
	} else {
		l.log.Warn("a server of the upstream is passed over until it is well", "url", url)
	}
}
