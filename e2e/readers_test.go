package e2e_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sys/unix"
)

// TestSlowReaders: a registered project whose clients ask for large answers and do not
// read them takes neither memory beyond limits.body_memory and 128 MiB, nor a call from
// another project.
func TestSlowReaders(t *testing.T) {
	for protocol, held := range map[string]float64{
		"http/1.1": 0, // the kernel may take all of an answer
		"h2":       3 << 20,
	} {
		t.Run(protocol, func(t *testing.T) {
			g := newGateway(t, largeUpstream(t), "[limits]\nbody_memory = \"16MiB\"\n")
			good, bad := newProvider(t, g, 1), newProvider(t, g, 2)
			g.start(t)
			good.connect(t, g.roots(t))
			conns := g.askAndNotRead(t, bad, protocol, 200)
			soon(t, "answers are held", func() bool { return g.metric(t, "kmproxy_body_bytes") >= held })
			calls := atRate(20, 3*time.Second, func(i int) error { return good.knock(t.Context(), fmt.Sprint("good", i)) })
			g.wantMemory(t, 16+128)
			if len(calls.failed) > 0 {
				t.Errorf("%d of %d good calls failed, first: %v", len(calls.failed), len(calls.failed)+len(calls.took), calls.failed[0])
			}
			for _, c := range conns {
				if c != nil {
					_ = c.Close()
				}
			}
			good.conns.CloseIdleConnections()
			soon(t, "the memory is given back", func() bool { return g.metric(t, "kmproxy_body_bytes") < 1<<20 })
			g.stop(t)
		})
	}
}

// largeUpstream answers what a request named large asks for with 1 MiB.
func largeUpstream(t *testing.T) string {
	t.Helper()
	large := fmt.Appendf(nil, `{"large":%q}`, strings.Repeat("x", 1<<20))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var doc struct{ ID string }
		if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if doc.ID == "large" {
			_, _ = w.Write(large) // the proxy may not want all of it
			return
		}
		_, _ = io.WriteString(w, answerTo(doc.ID)) // as before
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// askAndNotRead makes connections that send a sealed request each and read nothing.
func (g *gateway) askAndNotRead(t *testing.T, p *provider, protocol string, n int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	var all sync.WaitGroup
	for i := range conns {
		all.Go(func() {
			body, err := p.Encrypt(request("large"))
			if err != nil {
				t.Error(err)
				return
			}
			h := http.Header{}
			p.Sign(h, body)
			c, err := g.dialSmall(t, protocol)
			if err != nil {
				return // the server has enough of them
			}
			conns[i] = c
			_ = c.SetDeadline(time.Now().Add(patience))
			ask := map[string]func(*testing.T, net.Conn, http.Header, []byte) error{"h2": askHTTP2, "http/1.1": askHTTP1}[protocol]
			if err := ask(t, c, h, body); err != nil {
				_ = c.Close() // cut, as some are: 200 connections take more than their half of the memory
			}
		})
	}
	all.Wait()
	return conns
}

// dialSmall makes a connection that takes few bytes before they are read.
func (g *gateway) dialSmall(t *testing.T, protocol string) (net.Conn, error) {
	small := func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) }) // without it the kernel takes more, which is all the same
	}
	config := &tls.Config{RootCAs: g.roots(t), ServerName: "localhost", NextProtos: []string{protocol}}
	return tls.DialWithDialer(&net.Dialer{Control: small, Timeout: patience}, "tcp", g.public, config)
}

func askHTTP1(_ *testing.T, c net.Conn, h http.Header, body []byte) error {
	r, err := http.NewRequest(http.MethodPost, "https://localhost"+arsPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = h
	return r.Write(c)
}

func askHTTP2(t *testing.T, c net.Conn, h http.Header, body []byte) error {
	framer := http2.NewFramer(c, c)
	_, err := io.WriteString(c, http2.ClientPreface)
	return errors.Join(err, framer.WriteSettings(),
		framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headBlock(t, h, len(body)), EndHeaders: true}),
		framer.WriteData(1, true, body))
}
