// Package origin determines which address a request comes from, where proxies
// that are trusted to report it may stand in between.
package origin

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Trusted are the networks of proxies whose X-Forwarded-For is believed. Empty:
// no proxy is. It is safe for concurrent use as long as it is not changed.
type Trusted []netip.Prefix

// Has reports whether a is the address of a trusted proxy.
func (t Trusted) Has(a netip.Addr) bool {
	a = plain(a)
	return slices.ContainsFunc(t, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Client returns the address that r comes from: the connection's peer or, if
// that is a trusted proxy, the nearest address in X-Forwarded-For that is not
// one. An element that is no address ends the search at the last good one:
// whatever is left of it may have been written by anyone. The result is the zero
// Addr if the peer has no IP address, as over a unix socket.
func (t Trusted) Client(r *http.Request) netip.Addr {
	at := Peer(r)
	if len(t) == 0 || !t.Has(at) {
		return at
	}
	for _, line := range slices.Backward(r.Header.Values("X-Forwarded-For")) {
		for more := true; more; {
			var element string
			line, element, more = cutLast(line)
			a, ok := parse(element)
			if !ok {
				return at
			}
			if at = a; !t.Has(at) {
				return at
			}
		}
	}
	return at
}

// Peer returns the address at the other end of r's connection.
func Peer(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(peer.Addr())
}

// Network returns the network that is counted as one origin: the IPv4 address
// itself, or the IPv6 network of 64 bits, because a single IPv6 host has all
// addresses of its network. The network of the zero Addr is the zero Prefix.
func Network(a netip.Addr) netip.Prefix {
	a = plain(a)
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// cutLast cuts the last element off a list; more reports whether others remain.
func cutLast(list string) (rest, last string, more bool) {
	comma := strings.LastIndexByte(list, ',')
	if comma < 0 {
		return "", list, false
	}
	return list[:comma], list[comma+1:], true
}

// parse reads an element: an address, or as some proxies write it, an address
// with the port of its connection.
func parse(element string) (netip.Addr, bool) {
	s := strings.Trim(element, " \t")
	if p, err := netip.ParseAddrPort(s); err == nil {
		return plain(p.Addr()), p.Addr().Zone() == ""
	}
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
		s = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(s)
	return plain(a), err == nil && a.Zone() == ""
}
