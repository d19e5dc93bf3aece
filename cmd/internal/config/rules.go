package config

import (
	"net"
	"net/url"
	"slices"
	"strconv"
)

// rule is what settings demand of each other.
type rule struct {
	keys   []string // the one to blame and the other: if one is wrong by itself, nothing is said
	broken bool
	text   string
	hint   string
}

func (r *report) judge(all []rule) {
	for _, rule := range all {
		if rule.broken && !slices.ContainsFunc(rule.keys, r.blames) {
			r.addAt(r.origin.line(rule.keys...), rule.keys[0], rule.text, rule.hint)
		}
	}
}

func rules(c Config) []rule {
	all := append(tlsRules(c.TLS), upstreamRules(c.Upstream)...)
	all = append(all, rule{
		keys:   []string{"listen.proxy_protocol", "listen.trusted_proxies"},
		broken: c.Listen.ProxyProtocol && len(c.Listen.TrustedProxies) == 0,
		text:   "is true, but trusted_proxies names no proxy to take the header from",
		hint:   "write the addresses of the load balancers into trusted_proxies",
	})
	all = append(all, challengeRule(c, "listen.address", c.Listen.Address), challengeRule(c, "admin.address", c.Admin.Address))
	return append(all,
		rule{
			keys:   []string{"admission.replay_window", "admission.clock_skew"},
			broken: c.Admission.ReplayWindow != 0 && c.Admission.ReplayWindow < 2*c.Admission.ClockSkew,
			text:   "is shorter than twice clock_skew: a request would be forgotten while its time still passes",
			hint:   `write "` + showDuration(2*c.Admission.ClockSkew) + `" or more, or "0s" to switch it off`,
		},
		rule{
			keys:   []string{"admin.address", "listen.address"},
			broken: conflict(c.Admin.Address, c.Listen.Address),
			text:   "is where listen.address listens, too",
			hint:   "use another port: health and metrics are never on the public listener",
		},
	)
}

func tlsRules(t TLS) []rule {
	files := t.Mode == TLSFiles
	other := `set tls.mode = "files", or take it out`
	return []rule{
		{
			keys:   []string{"tls.hostnames", "tls.mode"},
			broken: !files && len(t.Hostnames) == 0,
			text:   "names no host to make a certificate for",
		},
		needs("tls.cert_file", t.CertFile, "tls.mode", files, `tls.mode = "files"`),
		needs("tls.key_file", t.KeyFile, "tls.mode", files, `tls.mode = "files"`),
		idle("tls.cert_file", t.CertFile, "tls.mode", files, other),
		idle("tls.key_file", t.KeyFile, "tls.mode", files, other),
	}
}

// challengeRule: HTTP-01 has a listener of its own, on the public one's host.
func challengeRule(c Config, key, address string) rule {
	host, _, _ := net.SplitHostPort(c.Listen.Address)
	own := net.JoinHostPort(host, strconv.Itoa(c.TLS.ACME.HTTPPort))
	return rule{
		keys:   []string{"tls.acme.http_port", key, "tls.mode"},
		broken: c.TLS.Mode == TLSACME && conflict(own, address),
		text:   "is where " + key + " listens, too",
		hint:   "use another port, or 0 to do without HTTP-01",
	}
}

func upstreamRules(u Upstream) []rule {
	servers := u.Servers()
	https := slices.ContainsFunc(servers, func(s *url.URL) bool { return s.Scheme == "https" })
	const plain = "use an https URL, or take it out"
	return []rule{
		{
			keys:   []string{"upstream.urls"},
			broken: slices.ContainsFunc(servers, func(s *url.URL) bool { return basePath(s) != basePath(servers[0]) }),
			text:   "differ in their paths: they are servers of one service",
			hint:   "give them the same path",
		},
		needs("upstream.client_key_file", u.ClientKeyFile, "upstream.client_cert_file", u.ClientCertFile != "", "client_cert_file"),
		needs("upstream.client_cert_file", u.ClientCertFile, "upstream.client_key_file", u.ClientKeyFile != "", "client_key_file"),
		idle("upstream.server_name", u.ServerName, "upstream.url", https, plain),
		idle("upstream.ca_file", u.CAFile, "upstream.url", https, plain),
		idle("upstream.client_cert_file", u.ClientCertFile, "upstream.url", https, plain),
		idle("upstream.client_key_file", u.ClientKeyFile, "upstream.url", https, plain),
	}
}

// basePath is what goes before a route's path: a socket has none.
func basePath(u *url.URL) string {
	if u.Scheme == "unix" {
		return ""
	}
	return u.EscapedPath()
}

// needs is a file that must be named where demanded, because of another key.
func needs(key, file, other string, demanded bool, because string) rule {
	return rule{
		keys:   []string{key, other},
		broken: demanded && file == "",
		text:   "is missing: " + because + " needs it",
	}
}

// idle is a file or name that would silently not be used, because of another key:
// somebody believes that a certificate is shown or checked that is not.
func idle(key, file, other string, used bool, hint string) rule {
	return rule{
		keys:   []string{key, other},
		broken: !used && file != "",
		text:   "would not be used, because of " + other,
		hint:   hint,
	}
}
