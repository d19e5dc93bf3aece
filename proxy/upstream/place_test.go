package upstream_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// TestSocket: servers behind unix sockets take turns, keep connections, are checked,
// and are passed over when they are gone.
func TestSocket(t *testing.T) {
	dir := t.TempDir()
	urls := []*url.URL{}
	servers := []*raw{}
	for _, name := range []string{"a.sock", "b.sock"} {
		path := filepath.Join(dir, name)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		s := &raw{Listener: l}
		go s.accept(func(_ int64, conn net.Conn) bool {
			_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"+name[:1])
			return err == nil
		})
		servers = append(servers, s)
		urls = append(urls, &url.URL{Scheme: "unix", Path: path})
	}
	c := client(time.Now)
	defer c.Close()
	p, err := upstream.New(upstream.Config{URLs: urls, Transport: c, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for range 6 {
		got += post(t, p)
	}
	if strings.Count(got, "a") != 3 || strings.Count(got, "b") != 3 || servers[0].conns.Load() != 1 {
		t.Errorf("answered by %s; %d connections", got, servers[0].conns.Load())
	}
	if host := servers[1].host.Load(); host != "localhost" {
		t.Errorf("the host was %q", host)
	}
	_ = servers[0].Close() // it is gone, and its socket with it
	c.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	told := make(chan string, 1)
	go p.Check(ctx, "/health", time.Hour, func(url string, well bool) {
		if !well {
			told <- url
		}
	})
	if url := <-told; url != "unix:"+filepath.Join(dir, "a.sock") {
		t.Errorf("told of %s", url)
	}
	if got := post(t, p) + post(t, p) + post(t, p); got != "bbb" {
		t.Errorf("answered by %s", got)
	}
}

// post asks for a route, and returns the answer's body.
func post(t *testing.T, p *upstream.Pool) string {
	t.Helper()
	r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/a"}, Header: http.Header{}, Body: upstream.NewBody([]byte("x")), ContentLength: 1}
	answer, err := p.RoundTrip(r.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it is read to its end, or the error says so
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBasePath: a socket's path is not a request's.
func TestBasePath(t *testing.T) {
	for text, want := range map[string]string{"http://x": "", "http://x/": "", "https://x/a/": "/a", "http://x/a/b": "/a/b", "unix:/run/a.sock": ""} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := upstream.BasePath(u); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestServerName: a certificate must be for the name that the config says, which is
// also asked for, and not for the URL's host, which stays in the Host header.
func TestServerName(t *testing.T) {
	asked := make(chan string, 2)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) }))
	s.TLS = &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) { asked <- h.ServerName; return nil, nil }}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{"example.com": true, "another.example": false} { // httptest's certificate is for the first
		c := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted((&net.Dialer{}).DialContext), TLS: &tls.Config{RootCAs: roots}, ServerName: name,
			HandshakeTime: 10 * time.Second, MaxIdle: 2, IdleTime: time.Minute, MaxAge: time.Minute, MaxHeaderBytes: 4 << 10, Now: time.Now})
		got, err := ask(t.Context(), c, "https://localhost:"+port, "x")
		var untrusted *tls.CertificateVerificationError
		if ok && (err != nil || got != "200 localhost:"+port) || !ok && !errors.As(err, &untrusted) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if sent := <-asked; sent != name {
			t.Errorf("asked for %q", sent)
		}
		c.Close()
	}
}
