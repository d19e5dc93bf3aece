package wire

import (
	"crypto/tls"
	"net/http"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/origin"
)

// front is the public listener, which goes by what is current.
func (g *Gateway) front() listen.Config {
	c := listen.Config{
		Handler:       http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.current.Load().handler.ServeHTTP(w, r) }),
		Certificates:  func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return g.current.Load().certificates(h) },
		ClientCAs:     g.clients,
		AskClients:    func() bool { return g.current.Load().keys.live.Ring().Pinned() },
		AnswerTime:    g.config.Upstream.Timeout + queueTime,
		Limits:        g.table,
		Trusted:       func() origin.Trusted { return g.current.Load().config.Listen.TrustedProxies },
		ProxyProtocol: func() bool { return g.current.Load().config.Listen.ProxyProtocol },
		Failures:      g.failures,
		Reserve:       g.budget.Connect,
		Release:       g.budget.Disconnect,
		Log:           g.log,
	}
	if g.acme != nil {
		c.Challenge = g.acme.Certificate
	}
	return c
}

// freshPerAddress is how many connections of one address may be without a request
// yet: far more than honest callers open in the time of a handshake.
const freshPerAddress = 1024

func limits(l config.Limits) listen.Limits {
	return listen.Limits{Conns: l.Connections, ConnsPerAddress: l.ConnectionsPerAddress, FreshPerAddress: freshPerAddress}
}
