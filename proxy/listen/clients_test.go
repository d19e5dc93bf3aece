package listen_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// shows sends a request over HTTP/1.1 or HTTP/2 from a client that has a
// certificate, or none, and shows it to the server. The error is the refusal's.
func (e *edge) shows(h2 bool, cert *tls.Certificate, cache tls.ClientSessionCache) (string, error) {
	c := &tls.Config{RootCAs: e.roots, ServerName: "127.0.0.1", ClientSessionCache: cache,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if cert == nil {
				return &tls.Certificate{}, nil
			}
			return cert, nil
		}}
	transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: h2}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("https://" + e.address)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }() // read whole, or the error says so
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// sayShown answers with the protocol and how many certificates the client has shown.
func sayShown(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %d", r.Proto, len(r.TLS.PeerCertificates))
}

// protocols of a request, by whether HTTP/2 is offered.
var protocols = map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}

func TestClientCertificatesDemanded(t *testing.T) {
	clients, pool := newCA(t, time.Now())
	unknown, _ := newCA(t, time.Now())
	e := serve(t, sayShown, func(c *listen.Config) {
		c.ClientCAs = pool
		c.AskClients = func() bool { return true } // which softens nothing
	})
	for what, c := range map[string]struct {
		cert *tls.Certificate
		want bool
	}{
		"none":            {nil, false},
		"another CA's":    {clientCert(t, unknown), false},
		"one for servers": {issue(t, clients, time.Now(), "localhost"), false},
		"of no CA":        {selfSigned(t), false},
		"one of its CA":   {clientCert(t, clients), true},
	} {
		for h2, protocol := range protocols {
			got, err := e.shows(h2, c.cert, nil)
			if (err == nil) != c.want || c.want && got != protocol+" 1" {
				t.Errorf("%s, HTTP/2 %t: %q, %v", what, h2, got, err)
			}
		}
	}
}

// TestClientCertificatesAskedFor: a client may have one, of whomever, or none; and
// what it shows is known from the moment that it is asked for, also of a client
// that has been here before.
func TestClientCertificatesAskedFor(t *testing.T) {
	var asks atomic.Bool
	e := serve(t, sayShown, func(c *listen.Config) { c.AskClients = asks.Load })
	mine := selfSigned(t)
	for h2, protocol := range protocols {
		cache := tls.NewLRUClientSessionCache(1)
		for _, c := range []struct {
			asks bool
			cert *tls.Certificate
			want string
		}{{false, mine, " 0"}, {false, mine, " 0"}, {true, mine, " 1"}, {true, nil, " 0"}, {true, mine, " 1"}, {false, mine, " 0"}} {
			asks.Store(c.asks)
			if got, err := e.shows(h2, c.cert, cache); err != nil || got != protocol+c.want {
				t.Errorf("HTTP/2 %t, asked %t, has one %t: %q, %v", h2, c.asks, c.cert != nil, got, err)
			}
		}
	}
}
