package listen

import (
	"net"
	"net/http"
	"slices"
	"testing"
)

// visitor is a connection that remembers whether it was closed.
type visitor struct {
	net.Conn
	from   string
	closed bool
}

func (v *visitor) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP(v.from), Port: 1}
}

func (v *visitor) Close() error { v.closed = true; return nil }

// arrivals are visitors from addresses who made a request each and rest since.
func arrivals(c *crowd, from ...string) []*visitor {
	var all []*visitor
	for _, ip := range from {
		v := &visitor{from: ip}
		all = append(all, v)
		use(c, v, http.StateNew, http.StateActive, http.StateIdle)
	}
	return all
}

func use(c *crowd, v *visitor, states ...http.ConnState) {
	for _, s := range states {
		c.changed(v, s)
	}
}

func closed(all []*visitor) (which []int) {
	for i, v := range all {
		if v.closed {
			which = append(which, i)
		}
	}
	return which
}

// TestWhoMakesRoom: of the newcomer's own address the one that rested longest, of
// those that made a request before; never one at work, never another address's.
func TestWhoMakesRoom(t *testing.T) {
	const here, there, v6a, v6b, v6c = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"
	for name, tt := range map[string]struct {
		limits Limits
		from   []string
		after  func(c *crowd, all []*visitor)
		comes  string
		want   []int // who is closed; 3 is the newcomer
	}{
		"no limits":            {Limits{}, []string{here, here, here}, nil, here, nil},
		"enough room":          {Limits{Conns: 4, ConnsPerAddress: 4}, []string{here, here, here}, nil, here, nil},
		"an address is full":   {Limits{ConnsPerAddress: 3}, []string{here, here, here}, nil, here, []int{0}},
		"another address":      {Limits{ConnsPerAddress: 3}, []string{here, here, here}, nil, there, nil},
		"all is full":          {Limits{Conns: 3}, []string{there, here, here}, nil, here, []int{1}},
		"all is full of other": {Limits{Conns: 3}, []string{here, here, here}, nil, there, []int{3}},
		"one IPv6 network":     {Limits{ConnsPerAddress: 2}, []string{v6c, v6a, v6a}, nil, v6b, []int{1}},
		"used again": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *crowd, all []*visitor) {
			use(c, all[0], http.StateActive, http.StateIdle)
		}, here, []int{1}},
		"at work": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *crowd, all []*visitor) {
			use(c, all[0], http.StateActive)
			use(c, all[1], http.StateActive)
		}, here, []int{2}},
		"all at work": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *crowd, all []*visitor) {
			for _, v := range all {
				use(c, v, http.StateActive)
			}
		}, here, []int{3}},
		"one has gone": {Limits{ConnsPerAddress: 3}, []string{here, here, here}, func(c *crowd, all []*visitor) {
			use(c, all[1], http.StateClosed)
		}, here, nil},
	} {
		c := newCrowd(tt.limits)
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
		if c.len()+len(c.addresses) != 0 {
			t.Errorf("%s: something is left of the crowd: %+v", name, c)
		}
	}
}
