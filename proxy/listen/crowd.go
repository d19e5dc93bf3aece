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

// crowd counts a listener's connections from the moment that they are accepted.
// When the table is full, the longest idle connection of the network with the
// most connections makes room, and if it has none, one with an unfinished request and
// nothing verified: those that hold connections, also by slow requests, keep no new
// address out. It is safe for concurrent use.
type crowd struct {
	limits  Limits
	reserve func() bool // memory for one more connection; may be nil
	release func()

	mu       sync.Mutex
	count    int
	networks map[netip.Prefix]*network
	resting  resting
}

// guest is one connection. Its fields but Conn and peer belong to the crowd.
type guest struct {
	net.Conn
	crowd    *crowd
	peer     net.Addr // whom it comes from, if a PROXY header says so; else nil
	network  *network
	list     *list.List // the one that it stands in, nil for neither
	place    *list.Element
	reserved bool
	known    bool // a request on it was verified
	gone     bool
}

func newCrowd(c Config) *crowd {
	return &crowd{limits: c.Limits, reserve: c.Reserve, release: c.Release, networks: map[netip.Prefix]*network{}}
}

// arrive counts an accepted connection. It reports false if there is no room for
// it, and then has closed it.
func (c *crowd) arrive(conn net.Conn, trusted origin.Trusted) (*guest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &guest{Conn: conn, crowd: c}
	c.settle(g, address(conn.RemoteAddr()), trusted)
	c.keepLimits(g)
	if !g.gone && c.reserve != nil {
		c.keepReserve(g)
	}
	return g, !g.gone
}

// move counts a connection under the address that its PROXY header names. It
// reports false if there is no room for it there, and then has closed it.
func (c *crowd) move(g *guest, peer net.Addr, trusted origin.Trusted) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.gone {
		return false
	}
	c.leave(g)
	g.peer = peer
	c.settle(g, address(peer), trusted)
	c.keepLimits(g)
	return !g.gone
}

// settle counts a guest in the network of a. A trusted proxy brings the
// connections of many: the bounds of one address are not for it.
func (c *crowd) settle(g *guest, a netip.Addr, trusted origin.Trusted) {
	p := origin.Network(a)
	n := c.networks[p]
	if n == nil {
		n = &network{prefix: p, at: notResting}
		c.networks[p] = n
	}
	c.count++
	n.count++
	n.trusted = trusted.Has(a)
	g.network = n
	g.rest(&n.fresh)
	c.resting.update(n)
}

// keepLimits makes room if g is one too many.
func (c *crowd) keepLimits(g *guest) {
	n := g.network
	switch {
	case !n.trusted && over(n.fresh.Len(), c.limits.FreshPerAddress):
		c.expel(n.fresh.Front().Value.(*guest))
	case !n.trusted && over(n.count, c.limits.ConnsPerAddress):
		c.expel(n.longest()) // g itself, if all others are being answered
	case over(c.count, c.limits.Conns):
		c.expel(c.victim(g))
	}
}

// keepReserve takes memory for g, that of another connection if there is none.
func (c *crowd) keepReserve(g *guest) {
	if g.reserved = c.reserve(); g.reserved {
		return
	}
	if v := c.victim(g); v != g {
		g.reserved, v.reserved = v.reserved, false
		c.expel(v)
	}
	if !g.reserved {
		c.expel(g)
	}
}

// victim is the connection that makes room for g: of the network with the most
// connections, among those that have one that may make room. It is g
// itself if no network with as many connections as its own has another.
func (c *crowd) victim(g *guest) *guest {
	first := c.resting[0] // there is g's own at least: g is fresh
	if first.longest() != g {
		return first.longest()
	}
	for _, n := range c.resting[1:min(len(c.resting), 3)] { // the next in order is one of these
		if n.count >= first.count {
			return n.longest()
		}
	}
	return g
}

// changed is an http.Server's ConnState.
func (c *crowd) changed(conn net.Conn, s http.ConnState) {
	g := guestOf(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	if g == nil || g.gone || s == http.StateNew {
		return
	}
	switch s {
	case http.StateActive:
		g.rise()
		if !g.known {
			g.rest(&g.network.strange)
		}
	case http.StateIdle:
		g.rise()
		g.rest(&g.network.idle)
	case http.StateClosed, http.StateHijacked:
		c.depart(g)
		return
	}
	c.resting.update(g.network)
}

// answered takes note that a connection had its last answer and is open only for
// the client to read it: it makes room like an idle one.
func (c *crowd) answered(g *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.gone {
		return
	}
	g.rise()
	g.rest(&g.network.idle)
	c.resting.update(g.network)
}

// verified takes note that a request on a connection was: as long as it has one, it
// does not make room.
func (c *crowd) verified(g *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.gone || g.known {
		return
	}
	g.known = true
	if g.list == &g.network.strange {
		g.rise()
		c.resting.update(g.network)
	}
}

// left forgets a connection that ended before an http.Server had it.
func (c *crowd) left(g *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.depart(g)
}

// expel closes a connection below TLS: a goodbye would wait for a client that
// does not read.
func (c *crowd) expel(g *guest) {
	c.depart(g)
	_ = g.Conn.Close() // nothing more is expected of it
}

func (c *crowd) depart(g *guest) {
	if g.gone {
		return
	}
	g.gone = true
	c.leave(g)
	if g.reserved {
		g.reserved = false
		c.release()
	}
}

// leave takes a connection out of its network.
func (c *crowd) leave(g *guest) {
	g.rise()
	c.count--
	n := g.network
	n.count--
	c.resting.update(n)
	if n.count == 0 {
		delete(c.networks, n.prefix)
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
	return c.count
}

func over(n, limit int) bool { return limit > 0 && n > limit }

// RemoteAddr is where the connection comes from: the address that a trusted
// proxy's PROXY header names, else the other end's.
func (g *guest) RemoteAddr() net.Addr {
	if g.peer != nil {
		return g.peer
	}
	return g.Conn.RemoteAddr()
}

// CloseWrite is what net/http asks of a connection whose last answer the client
// shall still read.
func (g *guest) CloseWrite() error {
	if c, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

func (g *guest) rest(in *list.List) { g.list, g.place = in, in.PushBack(g) }

func (g *guest) rise() {
	if g.place != nil {
		g.list.Remove(g.place)
		g.list, g.place = nil, nil
	}
}

// guestOf finds the guest below a connection that an http.Server has.
func guestOf(conn net.Conn) *guest {
	switch c := conn.(type) {
	case *guest:
		return c
	case *tls.Conn:
		return guestOf(c.NetConn())
	case *watched:
		return guestOf(c.Conn)
	}
	return nil
}

// address is a peer's, the zero Addr if it has none.
func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr()
	}
	return netip.Addr{}
}
