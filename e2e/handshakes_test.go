package e2e_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestFailedHandshakes: clients that cannot get in are counted by the reason, and the
// log has a line of each reason, not one of each client.
func TestFailedHandshakes(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "[tls]\nclient_ca_file = \"ca.pem\"\n")
	ca := newAuthority(t)
	ca.write(t, g.dir)
	g.start(t)
	own := []tls.Certificate{ca.issue(t, "client")}
	for reason, config := range map[string]*tls.Config{
		"client_certificate_missing": {},
		"client_certificate_invalid": {Certificates: []tls.Certificate{newAuthority(t).issue(t, "stranger")}},
		"protocol_version":           {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, Certificates: own},
		"alpn":                       {NextProtos: []string{"smtp"}, Certificates: own},
	} {
		const times = 50
		config.RootCAs, config.ServerName = g.roots(t), "localhost"
		for range times {
			if err := shake(g.public, config); err == nil {
				t.Fatalf("%s: it got in", reason)
			}
		}
		soon(t, reason+" is counted", func() bool {
			return g.metric(t, fmt.Sprintf("kmproxy_tls_handshake_failures_total{reason=%q}", reason)) == times
		})
		soon(t, reason+" is logged", func() bool { return strings.Contains(g.log.String(), fmt.Sprintf(`"reason":%q`, reason)) })
		if n := strings.Count(g.log.String(), fmt.Sprintf(`"reason":%q`, reason)); n > times/5 {
			t.Errorf("%s: %d lines of %d handshakes", reason, n, times)
		}
	}
	if err := shake(g.public, &tls.Config{RootCAs: g.roots(t), ServerName: "localhost", Certificates: own}); err != nil {
		t.Errorf("a client with a certificate: %v", err)
	}
	g.stop(t)
}

// shake makes a TLS connection and reads from it: in TLS 1.3 a client is told only then
// that its certificate was refused.
func shake(address string, config *tls.Config) error {
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the error that counts is that of the read
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

// TestBrokenAnswers: what is wrong with an upstream's answer is said in the log, each
// fault in its own words; the caller gets 502, and the next one its own answer.
func TestBrokenAnswers(t *testing.T) {
	answer := make(chan string, 1)
	g := newGateway(t, "http://"+rawUpstream(t, answer), "")
	p := newProvider(t, g, 1)
	g.start(t)
	p.connect(t, g.roots(t))
	const head, good = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", "Content-Length: 2\r\n\r\n{}"
	for reason, broken := range map[string]string{
		"more bytes than kmproxy takes":       head + strings.Repeat("X-A: "+strings.Repeat("x", 1017)+"\r\n", 80) + good,
		"too many interim answers":            strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 20) + head + good,
		"no HTTP version":                     "HTTQ/1.1 200 OK\r\n" + good,
		"status of three digits":              "HTTP/1.1 2OO OK\r\n" + good,
		"control character in its status":     "HTTP/1.1 200 O\x00K\r\n" + good,
		"of HTTP/1.0":                         "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"header name":                         "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
		"folded":                              head + "X-A: 1\r\n 2\r\n" + good,
		"ended early":                         head + "Content-Length: 4\r\n\r\n{}",
		"both Transfer-Encoding and Content-": head + "Transfer-Encoding: chunked\r\n" + good,
	} {
		logged := len(g.log.String())
		answer <- broken
		if err := p.knock(t.Context(), "broken"); !refusedWith(err, http.StatusBadGateway) {
			t.Errorf("%s: %v", reason, err)
		}
		soon(t, "the log says: "+reason, func() bool { return strings.Contains(g.log.String()[logged:], reason) })
		answer <- head + good
		if err := p.knock(t.Context(), "good"); err != nil {
			t.Errorf("after %s: %v", reason, err)
		}
	}
	g.stop(t)
}

// rawUpstream answers each request with the bytes that come next, and closes the
// connection.
func rawUpstream(t *testing.T, answers <-chan string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(conn, <-answers) // the proxy may have heard enough
			}()
		}
	}()
	return l.Addr().String()
}
