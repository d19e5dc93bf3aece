package origin_test

import (
	"net/http"
	"net/netip"
	"testing"

	"kmproxy/proxy/origin"
)

var trusted = origin.Trusted{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}

func TestClient(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted origin.Trusted
		peer    string
		lines   []string
		want    string
	}{
		"no proxy trusted":             {nil, "10.0.0.1:99", []string{"192.0.2.1"}, "10.0.0.1"},
		"not a proxy":                  {trusted, "203.0.113.5:99", []string{"192.0.2.1"}, "203.0.113.5"},
		"mapped":                       {nil, "[::ffff:203.0.113.5]:99", nil, "203.0.113.5"},
		"mapped and trusted":           {trusted, "[::ffff:10.0.0.1]:99", []string{"192.0.2.1"}, "192.0.2.1"},
		"with a zone":                  {nil, "[fe80::1%eth0]:99", nil, "fe80::1"},
		"no header":                    {trusted, "10.0.0.1:99", nil, "10.0.0.1"},
		"one hop":                      {trusted, "10.0.0.1:99", []string{"192.0.2.1"}, "192.0.2.1"},
		"nearest, whatever it claims":  {trusted, "10.0.0.1:99", []string{"198.51.100.1, 192.0.2.1"}, "192.0.2.1"},
		"through trusted ones":         {trusted, "10.0.0.1:99", []string{"198.51.100.1, 192.0.2.1, 10.0.0.3,10.0.0.2"}, "192.0.2.1"},
		"lines in their order":         {trusted, "10.0.0.1:99", []string{"198.51.100.1", "192.0.2.1, 10.0.0.3"}, "192.0.2.1"},
		"a line of trusted ones alone": {trusted, "10.0.0.1:99", []string{"198.51.100.1, 192.0.2.1", "10.0.0.3"}, "192.0.2.1"},
		"all are trusted":              {trusted, "10.0.0.1:99", []string{"10.0.0.4, 10.0.0.3"}, "10.0.0.4"},
		"garbage next to us":           {trusted, "10.0.0.1:99", []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		"garbage behind a good one":    {trusted, "10.0.0.1:99", []string{"192.0.2.1, <script>, 10.0.0.3"}, "10.0.0.3"},
		"an empty element":             {trusted, "10.0.0.1:99", []string{"192.0.2.1,"}, "10.0.0.1"},
		"an empty line":                {trusted, "10.0.0.1:99", []string{"192.0.2.1", ""}, "10.0.0.1"},
		"a zone is not believed":       {trusted, "10.0.0.1:99", []string{"fe80::1%eth0"}, "10.0.0.1"},
		"ports":                        {trusted, "10.0.0.1:99", []string{"192.0.2.1:5555"}, "192.0.2.1"},
		"IPv6":                         {trusted, "[2001:db8:ffff::1]:99", []string{"2001:db8::1"}, "2001:db8::1"},
		"IPv6 in brackets":             {trusted, "10.0.0.1:99", []string{"[2001:db8::1]"}, "2001:db8::1"},
		"IPv6 with port":               {trusted, "10.0.0.1:99", []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		"mapped in the header":         {trusted, "10.0.0.1:99", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		"no address at all":            {trusted, "@", []string{"192.0.2.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-For": tt.lines}}
		if got := tt.trusted.Client(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::ffff:1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := origin.Network(netip.MustParseAddr(a)); got.String() != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
	if got := origin.Network(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: %s", got)
	}
}
