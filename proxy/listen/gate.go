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
// listener and brings each in by itself: with its PROXY header and TLS handshake,
// within a bounded time. The crowd bounds how many are under way.
type gate struct {
	config Config
	tls    *tls.Config // nil: plain HTTP
	crowd  *crowd
	ready  chan net.Conn
	closed chan struct{}
	close  func()
	from   net.Listener
}

func newGate(c Config, t *tls.Config, crowd *crowd, from net.Listener) *gate {
	closed := make(chan struct{})
	return &gate{config: c, tls: t, crowd: crowd, from: from, ready: make(chan net.Conn),
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

// run accepts until the listener is closed. A lack of descriptors or memory
// passes: it waits a little, as net/http does.
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
		if passing, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](err); !ok || !passing.Temporary() {
			return err
		}
		g.config.Log.Warn("a connection could not be accepted: it is tried again", "error", err, "after", wait)
		time.Sleep(wait)
		wait = min(2*wait, most)
	}
}

// take counts a connection and brings it in without holding up the next.
func (g *gate) take(conn net.Conn) {
	trusted := g.config.trusted()
	guest, ok := g.crowd.arrive(conn, trusted)
	if !ok {
		return
	}
	if g.tls == nil {
		go g.hand(guest, guest)
		return
	}
	go func() {
		ready, err := g.enter(guest, trusted)
		if err != nil {
			g.refuse(guest, err)
			return
		}
		g.hand(guest, ready)
	}()
}

// hand gives a connection to the http.Server.
func (g *gate) hand(guest *guest, ready net.Conn) {
	select {
	case g.ready <- ready:
	case <-g.closed:
		_ = guest.Conn.Close() // nothing was said on it
		g.crowd.left(guest)
	}
}

// refuse ends a connection that did not come in.
func (g *gate) refuse(guest *guest, err error) {
	var peer string
	if a := guest.RemoteAddr(); a != nil {
		peer = a.String()
	}
	if !errors.Is(err, errNoRoom) && !errors.Is(err, net.ErrClosed) {
		g.config.Failures.note(failureOf(err), peer, err)
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
		_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n") // as net/http does
	}
	_ = guest.Conn.Close() // it was refused
	g.crowd.left(guest)
}

// looksLikeHTTP: the first bytes of a method, in place of a TLS record's header.
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

// enter reads what comes before HTTP. The connection may take as long for it as
// for a request's header.
func (g *gate) enter(guest *guest, trusted origin.Trusted) (net.Conn, error) {
	if err := guest.SetDeadline(time.Now().Add(readHeaderTimeout)); err != nil {
		return nil, fmt.Errorf("setting the deadline of a handshake: %w", err)
	}
	if g.config.proxyProtocol() && trusted.Has(address(guest.Conn.RemoteAddr())) {
		peer, err := readProxyHeader(guest.Conn)
		if err != nil {
			return nil, err
		}
		if peer != nil && !g.crowd.move(guest, peer, trusted) {
			return nil, errNoRoom
		}
	}
	conn := tls.Server(guest, g.tls)
	if err := conn.HandshakeContext(context.Background()); err != nil {
		return nil, err
	}
	if err := guest.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("ending the deadline of a handshake: %w", err)
	}
	switch conn.ConnectionState().NegotiatedProtocol {
	case "h2":
		return conn, nil // net/http looks for its type
	case probeProtocol:
		return nil, errors.Join(errProbe, conn.Close())
	}
	return watch(conn), nil
}
