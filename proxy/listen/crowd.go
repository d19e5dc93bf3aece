package listen

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"kmproxy/proxy/origin"
)

// Limits bound the connections of one listener. Zero: as many as there are.
type Limits struct {
	Conns           int // in all
	ConnsPerAddress int // of one IPv4 address, or one IPv6 network of 64 bits
	FreshPerAddress int // of those, that have not sent a request yet: handshakes, and who says nothing
}

// crowd counts a listener's connections. Where one too many comes, the one of the
// same address that has rested longest makes room, so that a crowd which only
// holds connections keeps nobody out who uses his.
type crowd struct {
	limits    Limits
	mu        sync.Mutex
	guests    map[net.Conn]*guest
	addresses map[netip.Prefix]*address
}

// address is who comes from one place; those at rest the longest first.
type address struct {
	count       int
	fresh, idle list.List // of *guest
}

// guest is one connection. Its place is in the list it stands in; nil in neither.
type guest struct {
	conn  net.Conn
	from  netip.Prefix
	list  *list.List
	place *list.Element
}

func newCrowd(l Limits) *crowd {
	return &crowd{limits: l, guests: map[net.Conn]*guest{}, addresses: map[netip.Prefix]*address{}}
}

// changed is an http.Server's ConnState.
func (c *crowd) changed(conn net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == http.StateNew {
		c.arrive(conn)
		return
	}
	g, known := c.guests[conn]
	if !known {
		return
	}
	g.rise()
	switch s {
	case http.StateIdle:
		g.rest(&c.addresses[g.from].idle)
	case http.StateClosed, http.StateHijacked:
		c.depart(g)
	}
}

func (c *crowd) arrive(conn net.Conn) {
	g := &guest{conn: conn, from: network(conn.RemoteAddr())}
	c.guests[conn] = g
	a := c.addresses[g.from]
	if a == nil {
		a = &address{}
		c.addresses[g.from] = a
	}
	a.count++
	g.rest(&a.fresh)
	switch {
	case over(a.fresh.Len(), c.limits.FreshPerAddress):
		hangUp(a.fresh.Front())
	case over(a.count, c.limits.ConnsPerAddress), over(len(c.guests), c.limits.Conns):
		if longest := a.idle.Front(); longest != nil {
			hangUp(longest)
		} else {
			hangUp(a.fresh.Front()) // the newcomer himself, if all others are at work
		}
	}
}

func (c *crowd) depart(g *guest) {
	delete(c.guests, g.conn)
	a := c.addresses[g.from]
	if a.count--; a.count == 0 {
		delete(c.addresses, g.from)
	}
}

// linger waits until all connections are closed, or most is over. net/http drops a
// request whose header comes after Shutdown, and a connection whose last answer
// did not say that it was the last may bring one.
func (c *crowd) linger(most time.Duration) {
	const look = 10 * time.Millisecond
	for end := time.Now().Add(most); c.len() > 0 && time.Now().Before(end); {
		time.Sleep(look)
	}
}

func (c *crowd) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.guests)
}

func over(n, limit int) bool { return limit > 0 && n > limit }

func (g *guest) rest(in *list.List) { g.list, g.place = in, in.PushBack(g) }

func (g *guest) rise() {
	if g.place != nil {
		g.list.Remove(g.place)
		g.list, g.place = nil, nil
	}
}

// hangUp closes the connection below TLS: a goodbye would wait for who does not read.
func hangUp(e *list.Element) {
	g := e.Value.(*guest)
	g.rise()
	if t, ok := g.conn.(*tls.Conn); ok {
		_ = t.NetConn().Close()
		return
	}
	_ = g.conn.Close()
}

// network is the origin of a connection, the zero Prefix without an IP address.
func network(a net.Addr) netip.Prefix {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return origin.Network(tcp.AddrPort().Addr())
	}
	return netip.Prefix{}
}
