package upstream_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// TestDeadlineEndsWithItsRequest: a connection rests for longer than the request
// before it might have taken.
func TestDeadlineEndsWithItsRequest(t *testing.T) {
	s := startRaw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	c := client(time.Now)
	defer c.Close()
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		if _, err := ask(ctx, c, s.url(), "x"); err != nil {
			t.Error(err)
		}
		<-ctx.Done()
		cancel()
	}
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections for 2 requests", n)
	}
}

// open counts the connections that are not closed.
type open struct {
	*net.TCPConn
	count *atomic.Int64
}

func (o open) Close() error { o.count.Add(-1); return o.TCPConn.Close() }

// TestUnusedConnectionsGo: what a crowd opened does not stay open for the few that
// come after it.
func TestUnusedConnectionsGo(t *testing.T) {
	var count atomic.Int64
	now := time.Now()
	c := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		count.Add(1)
		return open{conn.(*net.TCPConn), &count}, nil
	}), HandshakeTime: time.Second, MaxIdle: 10, IdleTime: time.Minute, MaxAge: time.Hour, MaxHeaderBytes: 4 << 10, Now: func() time.Time { return now }})
	defer c.Close()
	s := startRaw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	var crowd []*http.Response
	for range 5 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, answer)
	}
	for _, answer := range crowd {
		_ = answer.Body.Close() // it is empty
	}
	if n := count.Load(); n != 5 {
		t.Fatalf("%d connections", n)
	}
	for range 2 {
		now = now.Add(40 * time.Second)
		if _, err := ask(t.Context(), c, s.url(), "x"); err != nil {
			t.Error(err)
		}
	}
	if n := count.Load(); n != 1 {
		t.Errorf("%d connections are open", n)
	}
}

// clump is a connection that sends what is written while it holds back in one piece.
type clump struct {
	net.Conn
	held bytes.Buffer
	back bool
}

func (c *clump) Write(b []byte) (int, error) {
	if c.back {
		return c.held.Write(b)
	}
	return c.Conn.Write(b)
}

// answerTwice serves one connection with two answers for each request, each in a
// TLS record of its own and both in one piece.
func answerTwice(conn net.Conn, cert tls.Certificate) {
	defer func() { _ = conn.Close() }() // the test looks at what came before
	below := &clump{Conn: conn}
	secure := tls.Server(below, &tls.Config{Certificates: []tls.Certificate{cert}})
	for from := bufio.NewReader(secure); ; {
		r, err := http.ReadRequest(from)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // what is missing is the client's fault, and shows there
		below.back = true
		for _, body := range []string{"ok", "no"} {
			_, _ = io.WriteString(secure, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"+body) // into memory
		}
		below.back = false
		if _, err := below.held.WriteTo(conn); err != nil {
			return
		}
	}
}

// TestUnaskedOverTLS: a second answer that came with the first belongs to no request,
// though it is neither at the socket nor decrypted yet.
func TestUnaskedOverTLS(t *testing.T) {
	model := httptest.NewTLSServer(nil)
	cert, leaf := model.TLS.Certificates[0], model.Certificate()
	model.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the test has ended
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answerTwice(conn, cert)
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	c := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted((&net.Dialer{}).DialContext), TLS: &tls.Config{RootCAs: roots},
		HandshakeTime: 10 * time.Second, MaxIdle: 2, IdleTime: time.Minute, MaxAge: time.Hour, MaxHeaderBytes: 4 << 10, Now: time.Now})
	defer c.Close()
	for range 4 {
		if got, err := ask(t.Context(), c, "https://"+l.Addr().String(), "x"); err != nil || got != "200 ok" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

// TestClose: what rests is closed at once, what is in use when it has its answer.
func TestClose(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	closed := make(chan struct{}, 3)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	c := client(time.Now)
	answers := make([]*http.Response, 2)
	for i := range answers {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if answers[i], err = c.RoundTrip(r); err != nil {
			t.Fatal(err)
		}
	}
	end := func(answer *http.Response) {
		if text, err := io.ReadAll(answer.Body); err != nil || string(text) != "x" || answer.Body.Close() != nil {
			t.Errorf("got %q, %v", text, err)
		}
	}
	end(answers[0])
	c.Close()
	<-closed // the one at rest
	end(answers[1])
	<-closed
	if got, err := ask(t.Context(), c, s.URL, "y"); err != nil || got != "200 y" {
		t.Errorf("afterwards: got %q, %v", got, err)
	}
	<-closed
}

// TestOldConnectionsGo: a connection that is always in use is replaced when it is as
// old as it may be, so that a name that moved is followed.
func TestOldConnectionsGo(t *testing.T) {
	now := time.Now()
	c := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted((&net.Dialer{}).DialContext), HandshakeTime: time.Second,
		MaxIdle: 10, IdleTime: time.Minute, MaxAge: time.Minute, MaxHeaderBytes: 4 << 10, Now: func() time.Time { return now }})
	defer c.Close()
	s := startRaw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
	for i, want := range []int64{1, 1, 1, 2, 2, 2, 3} { // every 20 s
		if _, err := ask(t.Context(), c, s.url(), "x"); err != nil {
			t.Error(err)
		}
		if got := s.conns.Load(); got != want {
			t.Errorf("after %d s: %d connections, want %d", 20*i, got, want)
		}
		now = now.Add(20 * time.Second)
	}
}

// tardy is a connection on which the end of a request's context takes effect late:
// what sets a deadline in the past waits.
type tardy struct {
	*net.TCPConn
	asked, let, done chan struct{}
}

func (c tardy) SetDeadline(at time.Time) error {
	if at.IsZero() || at.After(time.Unix(1, 0)) {
		return c.TCPConn.SetDeadline(at)
	}
	close(c.asked)
	<-c.let
	defer close(c.done)
	return c.TCPConn.SetDeadline(at)
}

// TestLateDeadline: a request that is given up when its answer was read already must
// not end the next one: its connection is not used again.
func TestLateDeadline(t *testing.T) {
	late := make(chan tardy, 2)
	c := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l := tardy{conn.(*net.TCPConn), make(chan struct{}), make(chan struct{}), make(chan struct{})}
		late <- l
		return l, nil
	}), HandshakeTime: time.Second, MaxIdle: 10, IdleTime: time.Minute, MaxAge: time.Minute, MaxHeaderBytes: 4 << 10, Now: time.Now})
	defer c.Close()
	answer := make(chan struct{}, 2)
	s := startRaw(t, func(_ int64, conn net.Conn) bool {
		<-answer
		_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		return err == nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url(), strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	answer <- struct{}{}
	first, err := c.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(first.Body); err != nil || string(text) != "ok" {
		t.Fatalf("%q, %v", text, err)
	}
	cancel()
	l := <-late
	<-l.asked // the end of the context is on its way to the connection
	_ = first.Body.Close()
	second := make(chan string, 1)
	go func() {
		got, err := ask(t.Context(), c, s.url(), "y")
		second <- got + errText(err)
	}()
	for s.requests.Load() < 2 {
		runtime.Gosched() // until the second request has arrived
	}
	close(l.let)
	<-l.done
	answer <- struct{}{}
	if got := <-second; got != "200 ok" {
		t.Errorf("the next request: %s", got)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
