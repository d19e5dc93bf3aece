package listen

import "crypto/tls"

// probeProtocol is the ALPN protocol of an ACME server's TLS-ALPN-01 challenge, and of
// no other client (RFC 8737 §3).
const probeProtocol = "acme-tls/1"

// tlsConfig is the config of each handshake.
func tlsConfig(c Config) *tls.Config {
	t := baseConfig(c)
	asking, probe := askingConfig(t), probeConfig(c.Challenge)
	t.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		switch {
		case c.Challenge != nil && isProbe(h):
			return probe, nil
		case c.ClientCAs == nil && c.AskClients != nil && c.AskClients():
			return asking, nil
		}
		return nil, nil // t itself
	}
	return t
}

// baseConfig speaks TLS 1.2 with forward secrecy and AEAD only, and TLS 1.3. It
// gives out no session tickets: crypto/tls makes them valid for a week, and with
// TLS 1.2 their key decrypts recorded connections. Callers keep connections open.
func baseConfig(c Config) *tls.Config {
	t := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: c.certificate,
		NextProtos:     []string{"h2", "http/1.1", "http/1.0"},

		SessionTicketsDisabled: true,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
	if c.ClientCAs != nil {
		t.ClientAuth, t.ClientCAs = tls.RequireAndVerifyClientCert, c.ClientCAs
	}
	return t
}

// askingConfig asks for a certificate, demands none and checks no more than that
// the client has its key. That every handshake is a whole one matters here: a
// session from before the question was asked would come back without its answer.
func askingConfig(base *tls.Config) *tls.Config {
	t := base.Clone()
	t.ClientAuth = tls.RequestClientCert
	return t
}

// probeConfig is for an ACME server, which has no client certificate to show. The
// connection is good for its handshake alone: net/http closes one whose protocol
// it does not serve, and no ticket leads from it to another.
func probeConfig(challenge Certificates) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		GetCertificate:         challenge,
		NextProtos:             []string{probeProtocol},
		SessionTicketsDisabled: true,
	}
}

// isProbe: an ACME server offers its protocol and no other (RFC 8737 §3).
func isProbe(h *tls.ClientHelloInfo) bool {
	return len(h.SupportedProtos) == 1 && h.SupportedProtos[0] == probeProtocol
}

// certificate marks the errors of Certificates as what they are.
func (c Config) certificate(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := c.Certificates(h)
	if err != nil {
		return nil, certificateError{err}
	}
	return cert, nil
}
