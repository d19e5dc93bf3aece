package e2e_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// TestSlowStrangersFillTheTable: connections of one address, each with an unfinished
// request that is faster than the least rate, keep no other address out.
func TestSlowStrangersFillTheTable(t *testing.T) {
	const table = 64
	g := newGateway(t, newUpstream(t).URL, fmt.Sprintf("[limits]\nconnections = %d\nconnections_per_address = %d\n", table, table))
	p := newProvider(t, g, 1)
	g.start(t)
	p.connect(t, g.roots(t))
	header := signedHeader(t, p)
	empty := g.metric(t, "kmproxy_body_bytes")
	var attack []*tls.Conn
	for range table {
		conn, err := g.dialFrom(t, "127.0.0.2")
		if err != nil {
			t.Fatal(err)
		}
		attack = append(attack, conn)
		go dribble(t, conn, header)
	}
	const each = 48 << 10 // that a connection reserves; a request reserves more
	soon(t, "every connection has a request", func() bool { return g.metric(t, "kmproxy_body_bytes")-empty > table*(each+1<<10) })
	for i := range 5 {
		if err := p.knock(t.Context(), fmt.Sprint("newcomer/", i)); err != nil {
			t.Errorf("a good call: %v", err)
		}
		p.HTTP.CloseIdleConnections()
		conn, err := g.dialFrom(t, "127.0.0.3") // takes the place that was given back
		if err != nil {
			t.Fatal(err)
		}
		attack = append(attack, conn)
		go dribble(t, conn, header)
	}
	for _, conn := range attack {
		_ = conn.Close() // they would keep the service from stopping
	}
	g.stop(t)
}

// dribble sends a body at 3 KiB a second until the connection or the test ends.
func dribble(t *testing.T, conn *tls.Conn, header string) {
	_, err := io.WriteString(conn, header)
	for ; err == nil; _, err = io.WriteString(conn, strings.Repeat(" ", 300)) {
		select {
		case <-t.Context().Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}
