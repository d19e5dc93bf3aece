package upstream_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// raw is a server that answers with what a test gives it, and counts.
type raw struct {
	net.Listener
	conns, requests atomic.Int64
	host            atomic.Value // of the last request
}

// startRaw calls answer for every request with its number, and closes the
// connection when that says so.
func startRaw(t *testing.T, answer func(n int64, conn net.Conn) (goOn bool)) *raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &raw{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go s.accept(answer)
	return s
}

func (s *raw) accept(answer func(n int64, conn net.Conn) bool) {
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		s.conns.Add(1)
		go s.serve(conn, answer)
	}
}

func (s *raw) serve(conn net.Conn, answer func(n int64, conn net.Conn) bool) {
	defer func() { _ = conn.Close() }() // the test looks at what came before
	for from := bufio.NewReader(conn); ; {
		r, err := http.ReadRequest(from)
		if err != nil {
			return
		}
		s.host.Store(r.Host)
		if _, err := io.Copy(io.Discard, r.Body); err != nil || !answer(s.requests.Add(1), conn) {
			return
		}
	}
}

func (s *raw) url() string { return "http://" + s.Addr().String() }

// says answers with the same text for ever.
func says(text string) func(int64, net.Conn) bool {
	return func(_ int64, conn net.Conn) bool {
		_, err := io.WriteString(conn, text)
		return err == nil
	}
}

// client returns a Client with a clock of its own.
func client(now func() time.Time) *upstream.Client {
	return upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted((&net.Dialer{}).DialContext), TLS: &tls.Config{MinVersion: tls.VersionTLS12},
		HandshakeTime: 10 * time.Second, MaxIdle: 2, IdleTime: time.Minute, MaxAge: time.Hour, MaxHeaderBytes: 4 << 10, Now: now})
}

func ask(ctx context.Context, c *upstream.Client, url, body string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	answer, err := c.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }() // it is read to its end, or the error says so
	text, err := io.ReadAll(answer.Body)
	return fmt.Sprint(answer.StatusCode, " ", string(text)), err
}

// TestAnswers: what comes whole is taken, and whether its connection serves again.
func TestAnswers(t *testing.T) {
	big := strings.Repeat("b", 100<<10)
	for name, tt := range map[string]struct {
		says string
		want string // empty: an error
		kept bool
	}{
		"with a length":       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", true},
		"in chunks":           {"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", "201 ok", true},
		"large":               {"HTTP/1.1 200 OK\r\nContent-Length: 102400\r\n\r\n" + big, "200 " + big, true},
		"empty":               {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 ", true},
		"without a body":      {"HTTP/1.1 204 No Content\r\n\r\n", "204 ", true},
		"behind interim":      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", true},
		"that says goodbye":   {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "200 ok", false},
		"of HTTP/1.0":         {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", false},
		"with more behind":    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "200 ok", false},
		"that goes elsewhere": {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "", false},
		"no answer":           {"hello\r\n\r\n", "", false},
		"a header too large":  {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 8<<10) + "\r\nContent-Length: 2\r\n\r\nok", "", false},
		"interim for ever":    {strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 50), "", false},
	} {
		s := startRaw(t, says(tt.says))
		c := client(time.Now)
		for range 3 {
			got, err := ask(t.Context(), c, s.url(), "x")
			if (err == nil) != (tt.want != "") || got != tt.want {
				t.Errorf("%s: got %.50q, %v", name, got, err)
			}
		}
		if conns := s.conns.Load(); (conns == 1) != tt.kept || !tt.kept && conns != 3 {
			t.Errorf("%s: %d connections for 3 requests", name, conns)
		}
		c.Close()
	}
}

// TestHalfAnswers: what breaks off is an error, never a shorter answer.
func TestHalfAnswers(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"half a header":    "HTTP/1.1 200 OK\r\nContent-Le",
		"half a body":      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"half a chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
		"no last chunk":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"a chunk too long": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhalf\r\n0\r\n\r\n",
	} {
		s := startRaw(t, func(_ int64, conn net.Conn) bool {
			_, _ = io.WriteString(conn, text)
			return false
		})
		if got, err := ask(t.Context(), client(time.Now), s.url(), "x"); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
		if n := s.requests.Load(); n != 1 {
			t.Errorf("%s: it was asked %d times", name, n)
		}
	}
}

// TestRestedTooLong: a connection that rested for longer than it may, or was closed
// meanwhile, or was written to, is not used again.
func TestRestedTooLong(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	c := client(func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	s := startRaw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	wantConns := func(n int64) {
		t.Helper()
		if _, err := ask(t.Context(), c, s.url(), "x"); err != nil {
			t.Error(err)
		}
		if got := s.conns.Load(); got != n {
			t.Errorf("%d connections, want %d", got, n)
		}
	}
	wantConns(1)
	wantConns(1)
	mu.Lock()
	now = now.Add(2 * time.Minute)
	mu.Unlock()
	wantConns(2)

	closing := startRaw(t, func(_ int64, conn net.Conn) bool {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		return false // hangs up behind the answer
	})
	for range 20 {
		if _, err := ask(t.Context(), c, closing.url(), "x"); err != nil {
			t.Errorf("a connection that was closed is used: %v", err)
		}
		time.Sleep(20 * time.Millisecond) // until the end of it has arrived
	}
}

// TestContextEnds: a wait ends with its context, whatever it is for, and the
// connection is not used again.
func TestContextEnds(t *testing.T) {
	for name, text := range map[string]string{"no answer": "", "half an answer": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"} {
		s := startRaw(t, func(_ int64, conn net.Conn) bool {
			_, _ = io.WriteString(conn, text)
			_, _ = io.Copy(io.Discard, conn) // until it is closed
			return false
		})
		c := client(time.Now)
		for what, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
			"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 30*time.Millisecond)
			},
			"cancel": func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(30*time.Millisecond, cancel)
				return ctx, cancel
			},
		} {
			ctx, cancel := end(t.Context())
			_, err := ask(ctx, c, s.url(), "x")
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("%s, %s: got %v", name, what, err)
			}
			<-ctx.Done() // the connection's deadline may be noticed first
			cancel()
		}
		if conns, requests := s.conns.Load(), s.requests.Load(); conns != requests {
			t.Errorf("%s: %d connections for %d requests", name, conns, requests)
		}
	}
}

// TestTLS: the certificate must be for the name, and the connection is kept.
func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		config *tls.Config
		host   string
		ok     bool
	}{
		"trusted":      {&tls.Config{RootCAs: roots}, u.Host, true},
		"not trusted":  {&tls.Config{}, u.Host, false},
		"another name": {&tls.Config{RootCAs: roots}, "localhost:" + u.Port(), false},
	} {
		var dials atomic.Int64
		c := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted(func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}), TLS: tt.config, HandshakeTime: 10 * time.Second, MaxIdle: 2, IdleTime: time.Minute, MaxAge: time.Hour, MaxHeaderBytes: 4 << 10, Now: time.Now})
		for range 3 {
			got, err := ask(t.Context(), c, "https://"+tt.host, "x")
			var untrusted *tls.CertificateVerificationError
			if (err == nil) != tt.ok || tt.ok && got != "200 ok" || !tt.ok && !errors.As(err, &untrusted) {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
		if tt.ok && dials.Load() != 1 {
			t.Errorf("%s: dialled %d times", name, dials.Load())
		}
		c.Close()
	}
}

// TestManyAtOnce: every request gets its own answer, and no more idle connections than
// allowed are kept.
func TestManyAtOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer s.Close()
	c := client(time.Now)
	defer c.Close()
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for i := range 100 {
				body := fmt.Sprint(worker, "/", i)
				if got, err := ask(t.Context(), c, s.URL, body); err != nil || got != "200 "+body {
					t.Errorf("%s: got %q, %v", body, got, err)
					return
				}
			}
		})
	}
	all.Wait()
}
