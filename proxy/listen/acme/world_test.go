package acme_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/proxy/listen"
	"kmproxy/proxy/listen/acme"
	"kmproxy/proxy/listen/acme/acmetest"
	"kmproxy/proxy/proxytest"
)

// often is how often renewal and OCSP are looked at in tests.
const often = 100 * time.Millisecond

// world is a manager with its listeners and the Pebble it deals with.
type world struct {
	name    string
	pebble  *acmetest.Pebble
	config  acme.Config
	log     *proxytest.Buffer
	manager *acme.Manager
	address string
	proxied atomic.Int32 // requests that came through the public listener
	asked   atomic.Int32 // requests for the answer of an HTTP-01 challenge
	stop    func()
}

// setting is what tests vary.
type setting struct {
	pebble  acmetest.Config
	noHTTP  bool // HTTP-01 is off
	noTLS   bool // Pebble looks for TLS-ALPN-01 elsewhere
	clients *x509.CertPool
}

// newWorld has everything ready; nothing of it runs. Each name is used by one
// test: certmagic remembers names for the whole process.
func newWorld(t *testing.T, name string, s setting) (w *world, run func()) {
	t.Helper()
	w = &world{name: name, log: &proxytest.Buffer{}}
	public, challenges := listener(t), listener(t)
	w.address = public.Addr().String()
	c := acme.Config{Hostnames: []string{name}, Folder: t.TempDir() + "/acme", Host: "127.0.0.1", CheckEvery: often,
		TLSPort: port(public), Log: slog.New(slog.NewTextHandler(w.log, nil))}
	s.pebble.TLSPort = c.TLSPort
	if s.noTLS {
		s.pebble.TLSPort = acmetest.FreePort(t)
	}
	if !s.noHTTP {
		c.HTTPPort = port(challenges)
	}
	s.pebble.HTTPPort = port(challenges)
	w.pebble = acmetest.New(t, s.pebble)
	c.Directory, c.Roots = w.pebble.Directory, w.pebble.Roots
	w.config = c
	return w, func() { w.run(t, public, challenges, s.clients) }
}

func (w *world) run(t *testing.T, public, challenges net.Listener, clients *x509.CertPool) {
	t.Helper()
	c := w.config
	var err error
	if w.manager, err = acme.New(c); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 3)
	front := listen.New(listen.Config{Handler: counted(&w.proxied, http.HandlerFunc(sayProtocol)),
		Certificates: w.manager.Certificate, Challenge: w.manager.Certificate, ClientCAs: clients, AnswerTime: time.Minute, Log: c.Log})
	go func() { done <- front.Serve(ctx, public) }()
	port80 := listen.New(listen.Config{Handler: counted(&w.asked, w.manager.Challenges()), AnswerTime: time.Second, Log: c.Log})
	go func() { done <- port80.Serve(ctx, challenges) }()
	go func() {
		w.manager.Run(ctx)
		done <- nil
	}()
	ended := false
	w.stop = func() {
		if ended {
			return
		}
		ended = true
		stop()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(func() {
		w.stop()
		if t.Failed() {
			t.Logf("the log:\n%s", w.log)
		}
	})
}

// wait waits until something is so, for at most half a minute.
func (w *world) wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(often / 5) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// ready waits until there is a certificate.
func (w *world) ready(t *testing.T) {
	t.Helper()
	w.wait(t, "a certificate", func() bool { _, err := w.manager.Ready(time.Now()); return err == nil })
}

// dial makes a handshake and checks that the certificate is Pebble's for the name.
func (w *world) dial(t *testing.T, roots *x509.CertPool, certs ...tls.Certificate) (*tls.Conn, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", w.address, &tls.Config{ServerName: w.name, RootCAs: roots, Certificates: certs, NextProtos: []string{"http/1.1"}})
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// serial is the served certificate's.
func (w *world) serial(t *testing.T, roots *x509.CertPool) string {
	t.Helper()
	conn, err := w.dial(t, roots)
	if err != nil {
		t.Fatal(err)
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// again is another process on the same folder, without an answer to HTTP-01.
func (w *world) again(t *testing.T) *world {
	t.Helper()
	public := listener(t)
	next := &world{name: w.name, config: w.config, log: &proxytest.Buffer{}, address: public.Addr().String()}
	next.config.TLSPort = port(public)
	next.run(t, public, listener(t), nil)
	return next
}

// request makes one on an open connection.
func request(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func sayProtocol(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }

func counted(n *atomic.Int32, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		h.ServeHTTP(w, r)
	})
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a server may have closed it already
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// reportsLateRenewal checks that a certificate is not reported while it may be renewed in
// time, and is reported when less than a sixth of its lifetime is left.
func (w *world) reportsLateRenewal(t *testing.T, roots *x509.CertPool) {
	t.Helper()
	conn, err := w.dial(t, roots)
	if err != nil {
		t.Fatal(err)
	}
	leaf := conn.ConnectionState().PeerCertificates[0]
	part := leaf.NotAfter.Sub(leaf.NotBefore) / 60
	for left, want := range map[time.Duration]string{59: "", 30: "", 11: "", 9: w.name + " ends at ", 1: "was not renewed in time"} {
		note, err := w.manager.Ready(leaf.NotAfter.Add(-left * part))
		if err != nil || !strings.Contains(note, want) || want == "" && note != "" {
			t.Errorf("with %d sixtieths left: %q, %v", left, note, err)
		}
	}
}
