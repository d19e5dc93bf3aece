package listen_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/proxy/listen"
)

// TestDrain: at a stop pending requests are finished, over HTTP/1.1 and HTTP/2, and no
// new connection is accepted.
func TestDrain(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		begun, finish := make(chan struct{}), make(chan struct{})
		e := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-finish
			_, _ = io.WriteString(w, "whole")
		}, nil)
		answered := make(chan string, 1)
		go func() { answered <- e.get(h2) }()
		<-begun
		e.stop()
		for { // until the listener is closed
			conn, err := net.Dial("tcp", e.address)
			if err != nil {
				break
			}
			_ = conn.Close()
			time.Sleep(time.Millisecond)
		}
		select {
		case err := <-e.done:
			t.Errorf("HTTP/2 %t: it ended before the request did: %v", h2, err)
		default:
		}
		close(finish)
		if got := <-answered; got != "200 whole" {
			t.Errorf("HTTP/2 %t: the begun request was answered %q", h2, got)
		}
		if err := <-e.done; err != nil {
			t.Errorf("HTTP/2 %t: %v", h2, err)
		}
	}
}

func (e *edge) get(h2 bool) string {
	transport := &http.Transport{TLSClientConfig: tlsClient(e), ForceAttemptHTTP2: h2}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("https://" + e.address)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }() // read to its end, or the text says so
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return answer.Status[:4] + string(body)
}

// pipes is a listener without a network, so that time can be a fake.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() pipes {
	closed := make(chan struct{})
	return pipes{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { p.close(); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// inFakeTime runs a test against a Server without TLS, in a bubble whose time
// passes only when everybody waits.
func inFakeTime(t *testing.T, h http.HandlerFunc, test func(t *testing.T, p pipes, stop func() error)) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := listen.New(listen.Config{Handler: h, AnswerTime: time.Minute, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, p) }()
		test(t, p, func() error { cancel(); return <-done })
	})
}

// TestSlowClients: a client that opens a connection and is then slow is cut off, in a
// time that does not depend on the machine.
func TestSlowClients(t *testing.T) {
	for what, c := range map[string]struct {
		sent string
		most time.Duration
	}{
		"nothing at all":       {"", 10 * time.Second},
		"half a header":        {"POST / HTTP/1.1\r\nHost: x\r\nX-A", 10 * time.Second},
		"a body that stops":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345", time.Minute},
		"a connection at rest": {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 5 * time.Minute},
	} {
		t.Run(what, func(t *testing.T) {
			inFakeTime(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err != nil {
					w.WriteHeader(http.StatusBadRequest)
				}
			}, func(t *testing.T, p pipes, stop func() error) {
				begun := time.Now()
				client := p.dial()
				go func() { _, _ = io.WriteString(client, c.sent) }()
				if _, err := io.Copy(io.Discard, client); err != nil { // ends when the server hangs up
					t.Error(err)
				}
				if took := time.Since(begun); took > c.most {
					t.Errorf("it was cut off after %v, want %v at most", took, c.most)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestDrainEnds: a request that never ends does not keep the program from ending,
// and the error says that it was cut off.
func TestDrainEnds(t *testing.T) {
	inFakeTime(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		func(t *testing.T, p pipes, stop func() error) {
			client := p.dial()
			go func() { _, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") }()
			synctest.Wait()
			err := stop()
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cut off") {
				t.Errorf("got %v", err)
			}
			if _, err := http.ReadResponse(bufio.NewReader(client), nil); err == nil {
				t.Error("it was answered")
			}
		})
}

// TestDrainTellsConnectionsAtRest: a client that uses its connection once more
// while the server stops is answered, and told that this was the last time.
func TestDrainTellsConnectionsAtRest(t *testing.T) {
	e := serve(t, ok, nil)
	conn, err := e.dial(t, nil)
	if err == nil {
		err = ask(conn)
	}
	if err != nil {
		t.Fatal(err)
	}
	e.stop()
	for { // until the listener is closed
		late, err := net.Dial("tcp", e.address)
		if err != nil {
			break
		}
		_ = late.Close()
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusOK || !answer.Close {
		t.Errorf("got %+v, %v", answer, err)
	}
	if err := <-e.done; err != nil {
		t.Error(err)
	}
}

// sluggish is a listener that notices late that it is closed. Like a socket it
// cannot be closed twice.
type sluggish struct {
	pipes
	gone atomic.Bool
}

func (l *sluggish) Close() error {
	if l.gone.Swap(true) {
		return net.ErrClosed
	}
	time.AfterFunc(100*time.Millisecond, l.close)
	return nil
}

// TestStopAtRest: a stop without connections succeeds.
func TestStopAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		s := listen.New(listen.Config{Log: slog.New(slog.DiscardHandler)})
		go func() { done <- s.Serve(ctx, &sluggish{pipes: newPipes()}) }()
		synctest.Wait()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
