package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"kmproxy/proxy/origin"
)

// gate is the listener of an http.Server. It accepts connections of another
// listener and reads the PROXY header and makes the TLS handshake of each in a goroutine
// of its own, within a bounded time. The table bounds the number of connections.
type gate struct {
	config Config
	tls    *tls.Config // nil: plain HTTP
	table  *connTable
	ready  chan net.Conn
	closed chan struct{}
	close  func()
	from   net.Listener
}

func newGate(c Config, t *tls.Config, table *connTable, from net.Listener) *gate {
	closed := make(chan struct{})
	return &gate{config: c, tls: t, table: table, from: from, ready: make(chan net.Conn),
		closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case c := <-g.ready:
		return c, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It ends Accept; run ends with its own listener.
func (g *gate) Close() error { g.close(); return nil }

// Addr implements net.Listener.
func (g *gate) Addr() net.Addr { return g.from.Addr() }

// run accepts connections until the listener is closed. After a temporary error, such
// as a lack of descriptors, it waits a little, as net/http does.
func (g *gate) run() error {
	const least, most = 5 * time.Millisecond, time.Second
	wait := least
	for {
		conn, err := g.from.Accept()
		if err == nil {
			wait = least
			g.take(conn)
			continue
		}
		if temporary, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](err); !ok || !temporary.Temporary() {
			return err
		}
		g.config.Log.Warn("a connection could not be accepted: it is tried again", "error", err, "after", wait)
		time.Sleep(wait)
		wait = min(2*wait, most)
	}
}

// take counts a connection and makes its handshake without delaying the next one.
func (g *gate) take(accepted net.Conn) {
	trusted := g.config.trusted()
	conn, ok := g.table.add(accepted, trusted)
	if !ok {
		return
	}
	if g.tls == nil {
		go g.hand(conn, conn)
		return
	}
	go func() {
		ready, err := g.enter(conn, trusted)
		if err != nil {
			g.refuse(conn, err)
			return
		}
		g.hand(conn, ready)
	}()
}

// hand gives a connection to the http.Server.
func (g *gate) hand(conn *tableConn, ready net.Conn) {
	select {
	case g.ready <- ready:
	case <-g.closed:
		_ = conn.Conn.Close() // nothing was sent on it
		g.table.remove(conn)
	}
}

// refuse closes a connection whose PROXY header or handshake failed.
func (g *gate) refuse(conn *tableConn, err error) {
	var peer string
	if a := conn.RemoteAddr(); a != nil {
		peer = a.String()
	}
	if !errors.Is(err, errNoRoom) && !errors.Is(err, net.ErrClosed) {
		g.config.Failures.note(failureOf(err), peer, err)
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
		_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n") // as net/http does
	}
	_ = conn.Conn.Close() // its error does not matter any more
	g.table.remove(conn)
}

// looksLikeHTTP reports whether the header of a TLS record is the start of an HTTP
// request.
func looksLikeHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "PATCH", "DELET":
		return true
	}
	return false
}

var (
	errNoRoom = errors.New("there is no room for its address")
	errProbe  = errors.New("the handshake was all that it came for")
)

// enter reads what comes before HTTP. That may take as long as a request's header.
func (g *gate) enter(conn *tableConn, trusted origin.Trusted) (net.Conn, error) {
	if err := conn.SetDeadline(time.Now().Add(readHeaderTimeout)); err != nil {
		return nil, fmt.Errorf("setting the deadline of a handshake: %w", err)
	}
	if g.config.proxyProtocol() && trusted.Has(address(conn.Conn.RemoteAddr())) {
		peer, err := readProxyHeader(conn.Conn)
		if err != nil {
			return nil, err
		}
		if peer != nil && !g.table.move(conn, peer, trusted) {
			return nil, errNoRoom
		}
	}
	secured := tls.Server(conn, g.tls)
	if err := secured.HandshakeContext(context.Background()); err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("ending the deadline of a handshake: %w", err)
	}
	switch secured.ConnectionState().NegotiatedProtocol {
	case "h2":
		return secured, nil // net/http looks for its type
	case probeProtocol:
		return nil, errors.Join(errProbe, secured.Close())
	}
	return watch(secured), nil
}
