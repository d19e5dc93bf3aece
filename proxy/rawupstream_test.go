package proxy_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// rawUpstream is a bare TCP server that counts connections and requests, keeps
// every byte, and sends what a test gives it, HTTP or not.
type rawUpstream struct {
	listener net.Listener
	mu       sync.Mutex
	conns    int
	requests []string
	closed   int // connections that the proxy has closed
	answer   func(n int, conn net.Conn) (goOn bool)
}

// startRaw starts one whose answers are made by answer, which gets the number
// of earlier requests. If it returns false the connection is closed.
func startRaw(t *testing.T, answer func(n int, conn net.Conn) bool) *rawUpstream {
	t.Helper()
	l, err := proxytest.Listen()
	if err != nil {
		t.Fatal(err)
	}
	u := &rawUpstream{listener: l, answer: answer}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { u.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close() // it ends the accepting
		all.Wait()
	})
	return u
}

func (u *rawUpstream) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // whatever became of it
	u.mu.Lock()
	u.conns++
	u.mu.Unlock()
	for {
		var raw bytes.Buffer
		r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
		if err != nil {
			u.mu.Lock()
			u.closed++
			u.mu.Unlock()
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // what is missing shows in requests
		u.mu.Lock()
		n := len(u.requests)
		u.requests = append(u.requests, raw.String())
		u.mu.Unlock()
		if !u.answer(n, conn) {
			return
		}
	}
}

// seen is how many connections and requests there were so far, and the bytes of
// the last request.
func (u *rawUpstream) seen() (conns, requests int, last string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.requests) > 0 {
		last = u.requests[len(u.requests)-1]
	}
	return u.conns, len(u.requests), last
}

// use makes a proxy's upstream of it.
func (u *rawUpstream) use(c *proxy.Config) {
	c.Upstreams = []*url.URL{&url.URL{Scheme: "http", Host: u.listener.Addr().String()}}
}

// says answers every request with the same bytes and closes the connection.
func says(text string) func(int, net.Conn) bool {
	return func(_ int, conn net.Conn) bool {
		_, _ = io.WriteString(conn, text) // the proxy may have heard enough
		return false
	}
}

// keeps answers every request well and keeps the connection.
func keeps(_ int, conn net.Conn) bool {
	_, _ = io.WriteString(conn, goodAnswer) // what got lost shows at the caller
	return true
}

const goodAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
