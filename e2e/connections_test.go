package e2e_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// dialFrom makes a TLS connection from one of the loopback addresses.
func (g *gateway) dialFrom(t *testing.T, ip string) (*tls.Conn, error) {
	t.Helper()
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	conn, err := tls.DialWithDialer(from, "tcp", g.public, &tls.Config{RootCAs: g.roots(t), ServerName: "localhost"})
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// strange sends a request that has no route.
func strange(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// TestTwoAddressesFillTheTable: a third one gets in, again and again.
func TestTwoAddressesFillTheTable(t *testing.T) {
	const table = 64
	g := newGateway(t, newUpstream(t).URL, fmt.Sprintf("[limits]\nconnections = %d\nconnections_per_address = %d\n", table, table))
	g.start(t)
	for i := range 2 * table {
		conn, err := g.dialFrom(t, []string{"127.0.0.2", "127.0.0.3"}[i%2])
		if err == nil && i%4 < 2 { // the others never send a request
			err = strange(conn)
		}
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	for range 5 {
		conn, err := g.dialFrom(t, "127.0.0.4")
		if err == nil {
			err = strange(conn)
		}
		if err != nil {
			t.Errorf("a third address: %v", err)
		}
	}
	g.stop(t)
}

// TestFewDescriptors: with far fewer descriptors than the config needs a start
// says so, and a crowd takes none from the admin listener, the store or a reload.
func TestFewDescriptors(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	g.run(t, "project", "create", "--asp-id", "000000000000001")
	serve := g.command(t, "serve")
	few := exec.Command("sh", append([]string{"-c", `ulimit -n 256 && exec "$@"`, "sh"}, serve.Args...)...)
	few.Dir = serve.Dir
	g.startAs(t, few)
	if !strings.Contains(g.log.String(), "the descriptor limit is lower than the config needs") {
		t.Error("the start does not say that descriptors are few")
	}
	for i := range 1000 {
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i))}}
		conn, err := from.Dial("tcp", g.public)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	g.wantReady(t)
	g.run(t, "project", "create", "--asp-id", "000000000000002")
	soon(t, "the new project is served", func() bool { return g.metric(t, "kmproxy_projects") == 2 })
	g.reload(t)
	soon(t, "the config is read again", func() bool { return strings.Contains(g.log.String(), "the new config is in use") })
	conn, err := g.dialFrom(t, "127.0.0.9")
	if err == nil {
		err = strange(conn)
	}
	if err != nil {
		t.Errorf("a new address: %v", err)
	}
	if strings.Contains(g.log.String(), "too many open files") {
		t.Error("descriptors ran out")
	}
	g.stop(t)
}

// TestChunksKeepTheirConnection: twenty requests that stream their bodies make one
// handshake.
func TestChunksKeepTheirConnection(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	p := newProvider(t, g, 1)
	g.start(t)
	var dials atomic.Int32
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g.roots(t), ServerName: "localhost", NextProtos: []string{"http/1.1"}}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for i := range 20 {
		body := fmt.Sprintf(`{"n":%d}`, i)
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{ConnectStart: func(string, string) { dials.Add(1) }})
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+g.public+arsPath, io.MultiReader(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		p.Sign(r.Header, []byte(body))
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if _ = answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("status %d, %v", answer.StatusCode, err)
		}
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
	g.stop(t)
}

// TestSmuggling: what follows a request with a length and chunks is never
// answered as a request, also on a connection that was used well before.
func TestSmuggling(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	g.start(t)
	const good = "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
	second := "GET /second HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, headers := range []string{
		"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n",
		"transfer-encoding: Chunked\r\ncontent-length: %d\r\n",
		"Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 0\r\nContent-Length: %d\r\n",
	} {
		for _, before := range []string{"", good, good + good} {
			body := "0\r\n\r\n" + second
			stream := before + "POST /nothing HTTP/1.1\r\nHost: x\r\n" + fmt.Sprintf(headers, len(body)) + "\r\n" + body
			if n, most := g.answers(t, stream), strings.Count(before, "POST")+1; n > most {
				t.Errorf("%q: %d answers, at most %d are right", stream, n, most)
			}
		}
	}
	if n := g.answers(t, good+good+second); n != 3 {
		t.Errorf("three honest requests in a row: %d answers", n)
	}
	g.stop(t)
}

// answers counts the answers to a stream of requests, after which it says that no
// more is coming.
func (g *gateway) answers(t *testing.T, stream string) int {
	t.Helper()
	conn := g.dial(t)
	_, _ = io.WriteString(conn, stream) // it may be cut off
	_ = conn.CloseWrite()               // as before
	all, _ := io.ReadAll(conn)          // as before
	return strings.Count(string(all), "HTTP/1.1 ")
}

// TestProxyProtocol: a trusted proxy names the client; one that does not is not
// let in.
func TestProxyProtocol(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	text := fmt.Sprintf("[listen]\naddress = %q\ntrusted_proxies = [\"127.0.0.0/8\"]\nproxy_protocol = true\n[admin]\naddress = %q\n", g.public, g.admin)
	if err := os.WriteFile(filepath.Join(g.dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g.start(t)
	for header, want := range map[string]bool{"PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n": true, "PROXY UNKNOWN\r\n": true, "": false, "PROXY TCP4 \r\n": false} {
		raw, err := net.Dial("tcp", g.public)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(raw, header) // refused, perhaps
		conn := tls.Client(raw, &tls.Config{RootCAs: g.roots(t), ServerName: "localhost"})
		if err := strange(conn); (err == nil) != want {
			t.Errorf("%q: %v", header, err)
		}
		_ = raw.Close()
	}
	if n := g.metric(t, `kmproxy_tls_handshake_failures_total{reason="proxy_header"}`); n != 2 {
		t.Errorf("%v failures are counted", n)
	}
	g.stop(t)
}
