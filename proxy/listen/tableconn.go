package listen

import (
	"container/list"
	"crypto/tls"
	"net"
)

// tableConn is a connection in a connTable, whose mutex guards the fields but Conn and
// peer.
type tableConn struct {
	net.Conn
	table    *connTable
	peer     net.Addr // the client, if a PROXY header names it; otherwise nil
	network  *network
	list     *list.List // of its network, that it is in; nil: none
	place    *list.Element
	reserved bool
	known    bool // a request on it was verified
	gone     bool
}

// RemoteAddr returns the address that a trusted proxy's PROXY header names, otherwise
// that of the peer.
func (c *tableConn) RemoteAddr() net.Addr {
	if c.peer != nil {
		return c.peer
	}
	return c.Conn.RemoteAddr()
}

// CloseWrite is called by net/http on a connection whose last answer the client is
// still to read.
func (c *tableConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// listIn makes the connection a candidate to be closed, as the newest of a list.
func (c *tableConn) listIn(in *list.List) { c.list, c.place = in, in.PushBack(c) }

// unlist takes the connection out of its list, if it is in one.
func (c *tableConn) unlist() {
	if c.place != nil {
		c.list.Remove(c.place)
		c.list, c.place = nil, nil
	}
}

// tableConnOf returns the tableConn below a connection of an http.Server, or nil.
func tableConnOf(conn net.Conn) *tableConn {
	switch c := conn.(type) {
	case *tableConn:
		return c
	case *tls.Conn:
		return tableConnOf(c.NetConn())
	case *watched:
		return tableConnOf(c.Conn)
	}
	return nil
}
