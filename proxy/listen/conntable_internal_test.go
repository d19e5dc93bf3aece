package listen

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"kmproxy/proxy/origin"
)

// visitor is a connection that remembers whether it was closed.
type visitor struct {
	net.Conn
	from   string
	closed bool
	conn   *tableConn
}

func (v *visitor) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(v.from), Port: 1}
}

func (v *visitor) Close() error { v.closed = true; return nil }

// arrivals are visitors from addresses who made a request each and rest since.
func arrivals(c *connTable, from ...string) []*visitor {
	var all []*visitor
	for _, ip := range from {
		v := &visitor{from: ip}
		all = append(all, v)
		use(c, v, http.StateNew, http.StateActive, http.StateIdle)
	}
	return all
}

func use(c *connTable, v *visitor, states ...http.ConnState) {
	for _, s := range states {
		if s == http.StateNew {
			v.conn, _ = c.add(v, trustedHere)
		}
		c.stateChanged(v.conn, s)
	}
}

// answer begins to answer a verified request.
func answer(c *connTable, v *visitor) {
	use(c, v, http.StateActive)
	c.verified(v.conn)
}

func both(first, then func(*connTable, []*visitor)) func(*connTable, []*visitor) {
	return func(c *connTable, all []*visitor) {
		first(c, all)
		then(c, all)
	}
}

// trustedHere is the network of a load balancer.
var trustedHere = origin.Trusted{netip.MustParsePrefix("10.0.0.0/8")}

func closed(all []*visitor) (which []int) {
	for i, v := range all {
		if v.closed {
			which = append(which, i)
		}
	}
	return which
}

// TestWhoMakesRoom: the connection that has been idle longest, of the newcomer's
// own network where that is full, of the network with the most connections where
// the table is; never one of a verified request.
func TestWhoMakesRoom(t *testing.T) {
	const lb, other = "10.0.0.1", "192.0.2.3"
	busy := func(which ...int) func(c *connTable, all []*visitor) {
		return func(c *connTable, all []*visitor) {
			for _, i := range which {
				answer(c, all[i])
			}
		}
	}
	strange := func(which ...int) func(c *connTable, all []*visitor) {
		return func(c *connTable, all []*visitor) {
			for _, i := range which {
				use(c, all[i], http.StateActive)
			}
		}
	}
	const here, there, v6a, v6b, v6c = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"
	for name, tt := range map[string]struct {
		limits Limits
		from   []string
		after  func(c *connTable, all []*visitor)
		comes  string
		want   []int // who is closed; 3 is the newcomer
	}{
		"no limits":                               {Limits{}, []string{here, here, here}, nil, here, nil},
		"enough room":                             {Limits{Conns: 4, ConnsPerAddress: 4}, []string{here, here, here}, nil, here, nil},
		"an address is full":                      {Limits{ConnsPerAddress: 3}, []string{here, here, here}, nil, here, []int{0}},
		"another address":                         {Limits{ConnsPerAddress: 3}, []string{here, here, here}, nil, there, nil},
		"all is full":                             {Limits{Conns: 3}, []string{there, here, here}, nil, here, []int{1}},
		"all is full of other":                    {Limits{Conns: 3}, []string{here, here, here}, nil, there, []int{0}},
		"the fullest makes room":                  {Limits{Conns: 3}, []string{there, here, here}, nil, other, []int{1}},
		"fullest itself, all at work":             {Limits{Conns: 3}, []string{there, here, here}, busy(1, 2), here, []int{3}},
		"the next fullest":                        {Limits{Conns: 3}, []string{there, here, here}, busy(1, 2), other, []int{0}},
		"all are at work":                         {Limits{Conns: 3}, []string{there, here, here}, busy(0, 1, 2), other, []int{3}},
		"one each":                                {Limits{Conns: 3}, []string{there, here, v6a}, busy(1, 2), other, []int{0}},
		"a load balancer has no bound of its own": {Limits{ConnsPerAddress: 2, FreshPerAddress: 1}, []string{lb, lb, lb}, nil, lb, nil},
		"before a load balancer's":                {Limits{Conns: 3}, []string{lb, lb, here}, nil, there, []int{2}},
		"a load balancer fills all":               {Limits{Conns: 3}, []string{lb, lb, lb}, nil, there, []int{0}},
		"for a load balancer":                     {Limits{Conns: 3}, []string{lb, here, lb}, nil, lb, []int{1}},
		"one IPv6 network":                        {Limits{ConnsPerAddress: 2}, []string{v6c, v6a, v6a}, nil, v6b, []int{1}},
		"used again": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *connTable, all []*visitor) {
			use(c, all[0], http.StateActive, http.StateIdle)
		}, here, []int{1}},
		"at work": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *connTable, all []*visitor) {
			answer(c, all[0])
			answer(c, all[1])
		}, here, []int{2}},
		"all at work": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *connTable, all []*visitor) {
			for _, v := range all {
				answer(c, v)
			}
		}, here, []int{3}},
		"unfinished unverified requests":    {Limits{Conns: 3}, []string{there, here, here}, strange(2, 0, 1), other, []int{2}},
		"the newcomer of their network":     {Limits{Conns: 3}, []string{here, here, here}, strange(0, 1, 2), here, []int{3}},
		"unverified after idle ones":        {Limits{Conns: 3}, []string{here, here, here}, strange(0, 1), other, []int{2}},
		"unverified next to a verified one": {Limits{Conns: 3}, []string{here, here, there}, both(busy(0), strange(1, 2)), other, []int{1}},
		"verified once": {Limits{Conns: 3}, []string{here, here, here}, func(c *connTable, all []*visitor) {
			for _, v := range all {
				answer(c, v)
				use(c, v, http.StateIdle, http.StateActive)
			}
		}, other, []int{3}},
		"one has gone": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *connTable, all []*visitor) {
			use(c, all[1], http.StateClosed)
		}, here, nil},
	} {
		c := newConnTable(Config{Limits: tt.limits})
		all := arrivals(c, tt.from...)
		if tt.after != nil {
			tt.after(c, all)
		}
		all = append(all, &visitor{from: tt.comes})
		use(c, all[3], http.StateNew)
		if got := closed(all); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v were closed, want %v", name, got, tt.want)
		}
		for _, v := range all {
			use(c, v, http.StateClosed)
		}
		if c.len()+len(c.networks)+len(c.evictable) != 0 {
			t.Errorf("%s: something is left in the table: %+v", name, c)
		}
	}
}

// TestFreshMakeRoom: connections that never sent a request make room as well, the
// oldest first, where none is idle.
func TestFreshMakeRoom(t *testing.T) {
	c := newConnTable(Config{Limits: Limits{Conns: 3}})
	var all []*visitor
	for _, from := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		all = append(all, &visitor{from: from})
		use(c, all[len(all)-1], http.StateNew)
	}
	if got := closed(all); !slices.Equal(got, []int{0}) {
		t.Errorf("%v were closed", got)
	}
}

// TestFreshPerAddress: one network cannot have more connections without a request
// than that, though it may have more that were used.
func TestFreshPerAddress(t *testing.T) {
	c := newConnTable(Config{Limits: Limits{FreshPerAddress: 2}})
	all := arrivals(c, "192.0.2.1", "192.0.2.1", "192.0.2.1")
	for range 3 {
		all = append(all, &visitor{from: "192.0.2.1"})
		use(c, all[len(all)-1], http.StateNew)
	}
	if got := closed(all); !slices.Equal(got, []int{3}) {
		t.Errorf("%v were closed, want the first of those without a request", got)
	}
}

// TestReserve: where there is no memory for a connection, another one's is taken,
// and all of it is given back.
func TestReserve(t *testing.T) {
	const room = 2
	taken := 0
	c := newConnTable(Config{
		Reserve: func() bool {
			if taken == room {
				return false
			}
			taken++
			return true
		},
		Release: func() { taken-- },
	})
	all := arrivals(c, "192.0.2.1", "192.0.2.1", "192.0.2.2")
	if got := closed(all); !slices.Equal(got, []int{0}) || taken != room {
		t.Errorf("%v were closed, %d are reserved", got, taken)
	}
	answer(c, all[1])
	answer(c, all[2])
	late := arrivals(c, "192.0.2.3")
	if !late[0].closed || taken != room {
		t.Errorf("beside connections that are being answered, the newcomer: %t, %d are reserved", late[0].closed, taken)
	}
	for _, v := range append(all, late...) {
		use(c, v, http.StateClosed, http.StateClosed)
	}
	if taken != 0 {
		t.Errorf("%d are still reserved", taken)
	}
}

// TestMove: a connection counts where its PROXY header says that it comes from.
func TestMove(t *testing.T) {
	c := newConnTable(Config{Limits: Limits{ConnsPerAddress: 1}})
	client := &net.TCPAddr{IP: net.ParseIP("203.0.113.5"), Port: 9}
	first, second := &visitor{from: "10.0.0.1"}, &visitor{from: "10.0.0.1"}
	use(c, first, http.StateNew)
	use(c, second, http.StateNew)
	if !c.move(first.conn, client, trustedHere) || first.conn.RemoteAddr() != net.Addr(client) {
		t.Errorf("the first one comes from %v", first.conn.RemoteAddr())
	}
	if !c.move(second.conn, client, trustedHere) || !first.closed || second.closed {
		t.Errorf("of two from one address: the first closed %t, the second %t", first.closed, second.closed)
	}
	use(c, second, http.StateClosed)
	if c.len()+len(c.networks)+len(c.evictable) != 0 {
		t.Errorf("something is left: %+v", c)
	}
}

// TestAnsweredMakeRoom: a connection that only waits for its last answer to be
// read makes room, though net/http has not closed it yet.
func TestAnsweredMakeRoom(t *testing.T) {
	c := newConnTable(Config{Limits: Limits{Conns: 2}})
	all := arrivals(c, "192.0.2.1", "192.0.2.1")
	use(c, all[0], http.StateActive)
	use(c, all[1], http.StateActive)
	c.answered(all[1].conn)
	late := arrivals(c, "192.0.2.2")
	if got := closed(append(all, late...)); !slices.Equal(got, []int{1}) {
		t.Errorf("%v were closed", got)
	}
}
