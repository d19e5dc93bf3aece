package listen_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// TestProbe: a handshake of acme-tls/1 alone gets the challenge's certificate, also
// where clients need certificates, and what is sent after it is not a request.
func TestProbe(t *testing.T) {
	clients, pool := newCA(t, time.Now())
	challenge := selfSigned(t)
	var served atomic.Int32
	e := serve(t, func(http.ResponseWriter, *http.Request) { served.Add(1) }, func(c *listen.Config) {
		c.ClientCAs = pool
		c.Challenge = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return challenge, nil }
	})
	for what, c := range map[string]struct {
		protocols []string
		probe     bool
	}{
		"a probe":                  {[]string{"acme-tls/1"}, true},
		"a probe that offers more": {[]string{"acme-tls/1", "http/1.1"}, false},
		"more before a probe":      {[]string{"http/1.1", "acme-tls/1"}, false},
		"no protocol":              {nil, false},
	} {
		cache := tls.NewLRUClientSessionCache(1)
		conn, err := e.dial(t, func(t *tls.Config) {
			t.InsecureSkipVerify = true // which certificate it is, is looked at below
			t.NextProtos, t.ClientSessionCache = c.protocols, cache
		})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		state := conn.ConnectionState()
		if isProbe := state.PeerCertificates[0].Equal(challenge.Leaf); isProbe != c.probe || (state.NegotiatedProtocol == "acme-tls/1") != c.probe {
			t.Errorf("%s: it speaks %q, the challenge's certificate: %t", what, state.NegotiatedProtocol, isProbe)
		}
		if answer, err := roundTrip(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err == nil {
			t.Errorf("%s without a client certificate is answered %s", what, answer.Status)
		}
		if _, resumes := cache.Get("127.0.0.1"); resumes && c.probe {
			t.Errorf("%s got a ticket for another connection", what)
		}
	}
	if n := served.Load(); n != 0 {
		t.Errorf("%d requests were served", n)
	}
	conn, err := e.dial(t, func(c *tls.Config) { c.Certificates = []tls.Certificate{*clientCert(t, clients)} })
	if err == nil {
		_, err = roundTrip(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	if err != nil || served.Load() != 1 {
		t.Errorf("a client with a certificate: %v", err)
	}
}

// TestNoProbes: where certificates come from elsewhere, or no challenge is under
// way, there is no such handshake.
func TestNoProbes(t *testing.T) {
	none := errors.New("no challenge is under way")
	for _, challenge := range []listen.Certificates{nil, func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, none }} {
		e := serve(t, ok, func(c *listen.Config) { c.Challenge = challenge })
		if _, err := e.dial(t, func(c *tls.Config) { c.NextProtos = []string{"acme-tls/1"} }); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("got %v, want an alert", err)
		}
	}
}
