package proxy

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// ofOneHop are headers that speak of one connection (RFC 9110 §7.6.1), with those
// that older software takes for such.
var ofOneHop = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// stopHere are headers of a request that do not go on: they speak of the body as
// it was sent, of the way that it came before us, or they ask an upstream for
// another method or path than the route that was checked.
var stopHere = []string{
	"Accept-Encoding", "Content-Encoding", "Content-Length", "Expect", "Host", "Http2-Settings",
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Method", "X-Original-Url", "X-Rewrite-Url",
}

// goingOn are the headers of a request that the upstream gets, and by whom and
// how it was asked for. The values are shared with the request.
func goingOn(r *http.Request) http.Header {
	out := make(http.Header, len(r.Header)+8) // the forwarding headers and the protocol's own
	for name, values := range r.Header {
		if !slices.Contains(stopHere, name) {
			out[name] = values
		}
	}
	endHop(out)
	if client, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		out["X-Forwarded-For"] = []string{client}
	}
	out["X-Forwarded-Host"] = []string{r.Host}
	out["X-Forwarded-Proto"] = []string{"http"}
	if r.TLS != nil {
		out["X-Forwarded-Proto"] = []string{"https"}
	}
	return out
}

// endHop removes what speaks of the hop that a message came by: what Connection
// names, and what is known to.
func endHop(h http.Header) {
	for _, value := range h["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			delete(h, http.CanonicalHeaderKey(strings.TrimSpace(option)))
		}
	}
	for _, name := range ofOneHop {
		delete(h, name)
	}
}
