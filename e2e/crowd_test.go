package e2e_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestCrowd: thousands of connections that rest, and a thousand that send a body
// a byte at a time, keep no good call from its answer. Memory is printed.
func TestCrowd(t *testing.T) {
	idle, slow, length := 300, 100, 2*time.Second
	if long() {
		idle, slow, length = 5000, 1000, 15*time.Second
	}
	g := newGateway(t, newUpstream(t).URL, "")
	p := newProvider(t, g, 1)
	g.start(t)
	before := g.memory(t)
	p.connect(t, g.roots(t))
	for range idle {
		conn := g.dial(t)
		if _, err := io.WriteString(conn, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	header := signedHeader(t, p)
	var dribble sync.WaitGroup
	enough := make(chan struct{})
	for range slow {
		conn := g.dial(t)
		dribble.Go(func() {
			defer func() { _ = conn.Close() }() // it would keep the service from stopping
			_, err := io.WriteString(conn, header)
			for ; err == nil; _, err = io.WriteString(conn, " ") {
				select {
				case <-enough:
					return
				case <-time.After(200 * time.Millisecond):
				}
			}
		})
	}
	calls := atRate(20, length, func(i int) error { return p.knock(t.Context(), fmt.Sprint("crowd/", i)) })
	after := g.memory(t)
	close(enough)
	dribble.Wait()
	if len(calls.failed) > 0 {
		t.Errorf("%d of %d good calls failed, first: %v", len(calls.failed), len(calls.failed)+len(calls.took), calls.failed[0])
	}
	t.Logf("%d good calls beside %d connections at rest and %d slow ones: p50 %v, p99 %v", len(calls.took), idle, slow, calls.quantile(0.5), calls.quantile(0.99))
	t.Logf("resident memory %d KiB, %d KiB with them: %d KiB a connection", before, after, (after-before)/(idle+slow))
	g.stop(t)
}

// signedHeader announces a body that never ends.
func signedHeader(t *testing.T, p *provider) string {
	t.Helper()
	h := http.Header{}
	p.Sign(h, []byte("x"))
	var b strings.Builder
	b.WriteString("POST " + arsPath + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n")
	if err := h.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\r\n"
}

// dial makes a TLS connection that is closed at the end of the test.
func (g *gateway) dial(t *testing.T) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", g.public, &tls.Config{RootCAs: g.roots(t), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// memory is what the gateway has resident, in KiB.
func (g *gateway) memory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.child.Process.Pid))
	if err != nil {
		t.Skipf("resident memory is read from /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
