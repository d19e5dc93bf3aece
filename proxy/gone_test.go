package proxy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

var gone = proxy.Outcome{Status: 499, Code: "client_gone"}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// awaitCall waits until the upstream has been called.
func (u *rawUpstream) awaitCall(t *testing.T) {
	t.Helper()
	eventually(t, "a call of the upstream", func() bool { _, n, _ := u.seen(); return n > 0 })
}

// TestClientGoneWhileForwarding: the call to the upstream is cancelled with the
// caller, and no answer is sent.
func TestClientGoneWhileForwarding(t *testing.T) {
	for name, leave := range map[string]func(*testing.T, *world, *rawUpstream){
		"HTTP/1.1": func(t *testing.T, w *world, u *rawUpstream) {
			conn := w.dial(t)
			if _, err := conn.Write(sealedRequest(w).bytes()); err != nil {
				t.Fatal(err)
			}
			u.awaitCall(t)
			_ = conn.Close()
		},
		"HTTP/1.1, half": func(t *testing.T, w *world, u *rawUpstream) {
			conn := w.dial(t)
			if _, err := conn.Write(sealedRequest(w).bytes()); err != nil {
				t.Fatal(err)
			}
			u.awaitCall(t)
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if told, _ := io.ReadAll(conn); len(told) > 0 { // an error is the connection's end, too
				t.Errorf("a client that still reads got %q", told)
			}
			_ = conn.Close()
		},
		"HTTP/2": func(t *testing.T, w *world, u *rawUpstream) {
			callThenLeave(t, w.Proxy, func() { u.awaitCall(t) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := startRaw(t, holds(""))
			w := before(t, u, passes)
			leave(t, w, u)
			w.wantOutcome(t, 0, gone)
			if conns, requests, _ := u.seen(); conns != 1 || requests != 1 {
				t.Errorf("%d requests over %d connections", requests, conns)
			}
		})
	}
}

// callThenLeave makes a call over HTTP/2 and gives it up after wait.
func callThenLeave(t *testing.T, p *proxytest.Proxy, wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left := make(chan error, 1)
	go func() {
		_, err := p.Caller.Call(ctx, proxytest.ARSPath, nil)
		left <- err
	}()
	wait()
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller got %v", err)
	}
}

// TestClientGoneInTheQueue: a request whose client went away gets no private-key
// operation, nor what would follow.
func TestClientGoneInTheQueue(t *testing.T) {
	p := proxytest.Start(t, func(c *proxy.Config) { c.Queue = onePlace() })
	p.Proxy.FillPool()
	callThenLeave(t, p, func() {
		eventually(t, "a request", func() bool { return p.Outcomes.Begun() == 1 })
		time.Sleep(20 * time.Millisecond) // until it queues; sooner, it is gone as well
	})
	(&world{Proxy: p}).wantOutcome(t, 0, gone)
	if p.Upstream.Calls() != 0 {
		t.Error("the upstream was called")
	}
}

// TestClientGoneInTheBody: half a body is no body.
func TestClientGoneInTheBody(t *testing.T) {
	w := newWorld(t)
	for name, leave := range map[string]func(net.Conn){
		"closes":      func(c net.Conn) { _ = c.Close() },
		"closes half": func(c net.Conn) { _ = c.(interface{ CloseWrite() error }).CloseWrite() },
		"just resets": func(c net.Conn) {
			_ = c.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range []flaw{func(*world, *request) {}, framed(chunked, asChunks)} {
				before := w.Outcomes.Total()
				q := plainRequest(w)
				f(w, q)
				bytes := q.bytes()
				conn := w.dial(t)
				if _, err := conn.Write(bytes[:len(bytes)-10]); err != nil {
					t.Fatal(err)
				}
				leave(conn)
				eventually(t, "an outcome", func() bool { return w.Outcomes.Total() > before })
				if got := w.Outcomes.Since(before)[0]; got.Status != http.StatusBadRequest && got.Status != 499 {
					t.Errorf("outcome %+v", got)
				}
				_ = conn.Close()
			}
		})
	}
	if w.Upstream.Calls() != 0 {
		t.Error("the upstream was called")
	}
}
