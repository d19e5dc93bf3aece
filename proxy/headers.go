package proxy

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// forwardedHeaders are the headers of a request that every route forwards. All others
// are dropped: they may describe the body before it was opened, the connection that
// it came by, or another method or path than those of the route that was checked.
var forwardedHeaders = []string{"Accept", "Accept-Language", "Traceparent", "Tracestate", "User-Agent"}

// singleHeaders are those of them that have one value (RFC 9110 §10.1.5, Trace Context
// §3.2). If one is sent twice, it is ambiguous and not forwarded.
var singleHeaders = []string{"Traceparent", "User-Agent"}

// forwardHeaders returns the headers that the upstream gets beside the protocol's own.
// The options of Connection are ignored, because none of these headers is about one
// connection. The values are shared with the request.
func forwardHeaders(r *http.Request, route *Route, client string) http.Header {
	out := make(http.Header, len(forwardedHeaders)+len(route.ForwardHeaders)+9) // those set here, and the protocol's own
	for _, names := range [...][]string{forwardedHeaders, route.ForwardHeaders} {
		for _, name := range names {
			if values := r.Header[name]; len(values) == 1 || len(values) > 1 && !slices.Contains(singleHeaders, name) {
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

// isDisguised reports whether a header's name is spelled so that some servers treat
// it as another one.
func isDisguised(name string) bool {
	return !httpguts.ValidHeaderFieldName(name) || strings.ContainsAny(name, "_.!#$%&'*+^`|~")
}

// canonicalNames returns names in net/http's spelling, each once, without those that
// are forwarded in any case.
func canonicalNames(names []string) []string {
	var out []string
	for _, name := range names {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(out, name) && !slices.Contains(forwardedHeaders, name) {
			out = append(out, name)
		}
	}
	return out
}

// hopHeaders are headers about one connection (RFC 9110 §7.6.1), with those that older
// software treats as such.
var hopHeaders = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// removeHopHeaders removes from an answer the headers about the connection that it came
// by: hopHeaders, and those that Connection names.
func removeHopHeaders(h http.Header) {
	for _, value := range h["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			delete(h, http.CanonicalHeaderKey(strings.TrimSpace(option)))
		}
	}
	for _, name := range hopHeaders {
		delete(h, name)
	}
}
