package proxy

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// passing are the headers of a request that go on from every route. All others
// stop here, however they are spelled: what a caller writes beside the body may
// speak of the body as it was sealed, of the way that it came, or of another
// method or path than the route that was checked.
var passing = []string{"Accept", "Accept-Language", "Traceparent", "Tracestate", "User-Agent"}

// once are those of them that have one value (RFC 9110 §10.1.5, Trace Context §3.2).
// Sent twice, it is not known which was meant, and none goes on.
var once = []string{"Traceparent", "User-Agent"}

// goingOn are the headers that the upstream gets beside the protocol's own. What
// Connection names makes no difference: none of them speaks of one connection. The
// values are shared with the request.
func goingOn(r *http.Request, route *Route, client string) http.Header {
	out := make(http.Header, len(passing)+len(route.ForwardHeaders)+9) // those set here, and the protocol's own
	for _, names := range [...][]string{passing, route.ForwardHeaders} {
		for _, name := range names {
			if values := r.Header[name]; len(values) == 1 || len(values) > 1 && !slices.Contains(once, name) {
				out[name] = values
			}
		}
	}
	out["Content-Type"] = []string{"application/json"} // of the opened body, whatever the sealed one's said
	if client != "" {
		out["X-Forwarded-For"] = []string{client}
	}
	if r.Host != "" {
		out["X-Forwarded-Host"] = []string{r.Host}
	}
	out["X-Forwarded-Proto"] = []string{"http"}
	if r.TLS != nil {
		out["X-Forwarded-Proto"] = []string{"https"}
	}
	return out
}

// isDisguised reports whether a header's name is spelled so that some servers take
// it for another one.
func isDisguised(name string) bool {
	return !httpguts.ValidHeaderFieldName(name) || strings.ContainsAny(name, "_.!#$%&'*+^`|~")
}

// canonical are names in net/http's spelling, each once, without those that go on
// in any case.
func canonical(names []string) []string {
	var out []string
	for _, name := range names {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(out, name) && !slices.Contains(passing, name) {
			out = append(out, name)
		}
	}
	return out
}

// ofOneHop are headers that speak of one connection (RFC 9110 §7.6.1), with those
// that older software takes for such.
var ofOneHop = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// endHop removes from an answer what speaks of the hop that it came by: what
// Connection names, and what is known to.
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
