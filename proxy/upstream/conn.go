package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

var errFrozen = errors.New("the connection was given up before anything was written")

// conn counts what is written to it, so that it can be told whether a request
// that failed was ever sent.
type conn struct {
	net.Conn
	mu      sync.Mutex
	written int64
	frozen  bool
}

// Dialer opens connections.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Counted makes the connections that a Pool's transport must have.
func Counted(d Dialer) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c}, nil
	}
}

func (c *conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen {
		return 0, errFrozen
	}
	n, err := c.Conn.Write(b)
	c.written += int64(n)
	return n, err
}

func (c *conn) count() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written
}

// freeze reports whether nothing was written since. If so, nothing will be.
func (c *conn) freeze(since int64) bool {
	if !c.mu.TryLock() { // it is being written to
		return false
	}
	defer c.mu.Unlock()
	if c.written != since {
		return false
	}
	c.frozen = true
	return true
}

// counted finds the counting connection below TLS.
func counted(c net.Conn) (*conn, bool) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	found, ok := c.(*conn)
	return found, ok
}
