package listen_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

func countOf(f *listen.Failures, reason string) (n int) {
	for _, is := range f.All() {
		if is.Reason == reason {
			n = int(is.Count)
		}
	}
	return n
}

// wantFailures waits until a reason was counted so often.
func wantFailures(t *testing.T, f *listen.Failures, reason string, want int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); countOf(f, reason) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("want %d of %s: %v", want, reason, f.All())
		}
	}
}

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// TestFailures: each way for a handshake to fail is counted under its reason, and
// a line says so. It also holds the words that crypto/tls has for them.
func TestFailures(t *testing.T) {
	_, clients := newCA(t, time.Now())
	raw := func(text string) func(*testing.T, *edge) {
		return func(t *testing.T, e *edge) {
			c, err := net.Dial("tcp", e.address)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, text) // refused, perhaps
			_ = c.Close()
		}
	}
	dial := func(set func(*tls.Config)) func(*testing.T, *edge) {
		return func(t *testing.T, e *edge) {
			if c, err := e.dial(t, set); err == nil {
				_, _ = c.Read(make([]byte, 1)) // the refusal, with TLS 1.3
			}
		}
	}
	for reason, tt := range map[string]struct {
		set func(*listen.Config)
		do  func(*testing.T, *edge)
	}{
		"protocol_version": {nil, dial(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 })},
		"alpn":             {nil, dial(func(c *tls.Config) { c.NextProtos = []string{"spdy/3"} })},
		"cipher_suite": {nil, dial(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		})},
		"client_certificate_missing": {func(c *listen.Config) { c.ClientCAs = clients }, dial(nil)},
		"client_certificate_invalid": {func(c *listen.Config) { c.ClientCAs = clients }, func(t *testing.T, e *edge) {
			dial(func(c *tls.Config) {
				c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return issue(t, e.ca, time.Now(), "127.0.0.1"), nil
				}
			})(t, e)
		}},
		"no_certificate": {func(c *listen.Config) {
			c.Certificates = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }
		}, dial(nil)},
		"not_tls":         {nil, raw("GET / HTTP/1.1\r\n\r\n")},
		"closed_by_peer":  {nil, raw("\x16\x03\x01")},
		"refused_by_peer": {nil, dial(func(c *tls.Config) { c.RootCAs = x509.NewCertPool() })},
	} {
		t.Run(reason, func(t *testing.T) {
			log := &lines{}
			failures := listen.NewFailures(slog.New(slog.NewTextHandler(log, nil)), time.Now)
			e := serve(t, ok, func(c *listen.Config) {
				if c.Failures = failures; tt.set != nil {
					tt.set(c)
				}
			})
			for range 3 {
				tt.do(t, e)
			}
			wantFailures(t, failures, reason, 3)
			if n := log.count("reason=" + reason); n != 1 {
				t.Errorf("%d lines, want one for all", n)
			}
		})
	}
}

// TestHTTP10: a client that speaks HTTP/1.0 alone is served, as are those that
// offer HTTP/1.1 alone or nothing.
func TestHTTP10(t *testing.T) {
	e := serve(t, ok, nil)
	for _, offers := range [][]string{{"http/1.0"}, {"http/1.1"}, nil} {
		conn, err := e.dial(t, func(c *tls.Config) { c.NextProtos = offers })
		if err == nil {
			err = ask(conn)
		}
		if err != nil {
			t.Errorf("%q: %v", offers, err)
		}
	}
}
