package listen_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// edge is a running Server.
type edge struct {
	address string
	ca      *listen.LocalCA
	roots   *x509.CertPool
	stop    context.CancelFunc
	done    chan error
}

func serve(t *testing.T, h http.HandlerFunc, set func(*listen.Config)) *edge {
	t.Helper()
	e := &edge{done: make(chan error, 1)}
	e.ca, e.roots = newCA(t, time.Now())
	c := listen.Config{Handler: h, Certificates: e.ca.Certificates([]string{"127.0.0.1"}, time.Now),
		AnswerTime: time.Minute, Log: slog.New(slog.DiscardHandler)}
	if set != nil {
		set(&c)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.address = l.Addr().String()
	var ctx context.Context
	ctx, e.stop = context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { e.done <- listen.New(c).Serve(ctx, l) }()
	t.Cleanup(e.stop)
	return e
}

func (e *edge) dial(t *testing.T, set func(*tls.Config)) (*tls.Conn, error) {
	t.Helper()
	c := &tls.Config{RootCAs: e.roots, ServerName: "127.0.0.1"}
	if set != nil {
		set(c)
	}
	conn, err := tls.Dial("tcp", e.address, c)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

func tlsClient(e *edge) *tls.Config { return &tls.Config{RootCAs: e.roots} }

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func TestVersionsAndSuites(t *testing.T) {
	e := serve(t, ok, nil)
	only := func(version uint16, suites ...uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MinVersion, c.MaxVersion, c.CipherSuites = version, version, suites }
	}
	for what, c := range map[string]struct {
		set  func(*tls.Config)
		want bool
	}{
		"TLS 1.3":                    {only(tls.VersionTLS13), true},
		"TLS 1.2":                    {only(tls.VersionTLS12), true},
		"TLS 1.2 AES-128-GCM":        {only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), true},
		"TLS 1.2 AES-256-GCM":        {only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), true},
		"TLS 1.2 ChaCha20":           {only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), true},
		"TLS 1.1":                    {only(tls.VersionTLS11), false},
		"TLS 1.0":                    {only(tls.VersionTLS10), false},
		"TLS 1.2 AES-128-CBC":        {only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), false},
		"TLS 1.2 AES-128-CBC-SHA256": {only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256), false},
		"TLS 1.2 AES-256-CBC":        {only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA), false},
		"TLS 1.2 RC4":                {only(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA), false},
		"only HTTP/3":                {func(c *tls.Config) { c.NextProtos = []string{"h3"} }, false},
		"unknown roots":              {func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }, false},
	} {
		if _, err := e.dial(t, c.set); (err == nil) != c.want {
			t.Errorf("%s: %v", what, err)
		}
		if strings.HasPrefix(what, "TLS") {
			speaksAtAll(t, what, issue(t, e.ca, time.Now(), "127.0.0.1"), e.roots, c.set)
		}
	}
}

// speaksAtAll is the control of a refusal: a server that takes everything must
// come to terms with the same client.
func speaksAtAll(t *testing.T, what string, cert *tls.Certificate, roots *x509.CertPool, set func(*tls.Config)) {
	t.Helper()
	lenient := &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS10}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		lenient.CipherSuites = append(lenient.CipherSuites, suite.ID)
	}
	client := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
	set(client)
	here, there := net.Pipe()
	go func() { _ = tls.Server(there, lenient).Handshake() }() // what it says is what the client says
	if err := tls.Client(here, client).Handshake(); err != nil {
		t.Errorf("%s: no server speaks it: %v", what, err)
	}
	_, _ = here.Close(), there.Close()
}

// TestSuitesUnderRSA: with an RSA certificate there is no key exchange without
// forward secrecy and no CBC either.
func TestSuitesUnderRSA(t *testing.T) {
	cert := selfSigned(t)
	e := serve(t, ok, func(c *listen.Config) {
		c.Certificates = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil }
	})
	for suite, want := range map[uint16]bool{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: true, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: true,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: true,
		tls.TLS_RSA_WITH_AES_128_GCM_SHA256:             false, tls.TLS_RSA_WITH_AES_256_GCM_SHA384: false,
		tls.TLS_RSA_WITH_AES_128_CBC_SHA: false, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: false,
		tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: false, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA: false,
	} {
		set := func(c *tls.Config) {
			c.InsecureSkipVerify = true // what is asked is the suite alone
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite}
		}
		if _, err := e.dial(t, set); (err == nil) != want {
			t.Errorf("%s: %v", tls.CipherSuiteName(suite), err)
		}
		speaksAtAll(t, tls.CipherSuiteName(suite), cert, nil, set)
	}
}

func TestProtocolsNegotiated(t *testing.T) {
	e := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }, nil)
	for _, c := range []struct {
		h2   bool
		want string
	}{{true, "HTTP/2.0"}, {false, "HTTP/1.1"}} {
		transport := &http.Transport{TLSClientConfig: tlsClient(e), ForceAttemptHTTP2: c.h2}
		t.Cleanup(transport.CloseIdleConnections)
		answer, err := (&http.Client{Transport: transport}).Get("https://" + e.address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != c.want || answer.Proto != c.want {
			t.Errorf("spoke %q, %v, want %s", body, err, c.want)
		}
		_ = answer.Body.Close()
	}
}

func TestAdminListenerIsPlain(t *testing.T) {
	e := serve(t, ok, func(c *listen.Config) { c.Certificates = nil })
	answer, err := http.Get("http://" + e.address)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	_ = answer.Body.Close()
}

// TestOptionsStar: net/http's own 200 for it would be an answer past the handler.
func TestOptionsStar(t *testing.T) {
	e := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, nil)
	conn, err := e.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := roundTrip(conn, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
	if err != nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestPlainHTTPIsRefused(t *testing.T) {
	called := false
	e := serve(t, func(http.ResponseWriter, *http.Request) { called = true }, nil)
	answer, err := http.Get("http://" + e.address)
	if err != nil || answer.StatusCode != http.StatusBadRequest || called {
		t.Fatalf("%v, %v, handler called: %t", answer, err, called)
	}
	_ = answer.Body.Close()
}

func TestHeaderLimit(t *testing.T) {
	e := serve(t, ok, nil)
	for size, want := range map[int]int{8 << 10: http.StatusOK, 64 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		conn, err := e.dial(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := roundTrip(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Filler: "+strings.Repeat("a", size)+"\r\n\r\n")
		if err != nil || answer.StatusCode != want {
			t.Errorf("%d bytes of headers: %v, %v, want %d", size, answer, err, want)
		}
	}
}

func TestServeReportsItsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	var log bytes.Buffer
	s := listen.New(listen.Config{Handler: http.HandlerFunc(ok), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := s.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "serving on "+l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func roundTrip(conn net.Conn, request string) (*http.Response, error) {
	if _, err := io.WriteString(conn, request); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer, err
}

// TestTickets: no session is resumed, so that none lasts for a week.
func TestTickets(t *testing.T) {
	e := serve(t, ok, nil)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cache := tls.NewLRUClientSessionCache(1)
		for range 2 {
			conn, err := e.dial(t, func(c *tls.Config) { c.MinVersion, c.MaxVersion, c.ClientSessionCache = version, version, cache })
			if err == nil {
				err = ask(conn) // a ticket of TLS 1.3 would come with the answer
			}
			if err != nil {
				t.Fatal(err)
			}
			if conn.ConnectionState().DidResume {
				t.Errorf("%s resumed a session", tls.VersionName(version))
			}
		}
	}
}
