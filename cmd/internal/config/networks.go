package config

import (
	"fmt"
	"net/netip"
)

// networks is a list of networks such as 10.0.0.0/8, or of single addresses.
func networks() kind[[]netip.Prefix] {
	texts := list(checkNetwork)
	return kind[[]netip.Prefix]{
		read: func(v any) ([]netip.Prefix, []fault) {
			list, faults := texts.read(v)
			var all []netip.Prefix
			for _, s := range list {
				p, _ := parseNetwork(s) // texts.read has checked it
				all = append(all, p)
			}
			return all, faults
		},
		show: func(all []netip.Prefix) any {
			list := []string{}
			for _, p := range all {
				list = append(list, p.String())
			}
			return list
		},
	}
}

func checkNetwork(s string) string {
	if _, ok := parseNetwork(s); !ok {
		return fmt.Sprintf("%q is neither an IP address nor a network such as 10.0.0.0/8", s)
	}
	return ""
}

// parseNetwork refuses IPv4 in IPv6: peers are compared in their plain form, so
// that it would match none.
func parseNetwork(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		return netip.PrefixFrom(a, a.BitLen()), err == nil && a.Zone() == "" && !a.Is4In6()
	}
	return p.Masked(), !p.Addr().Is4In6()
}
