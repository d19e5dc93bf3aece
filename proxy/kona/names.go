package kona

import (
	"net/http"
	"strings"
)

// The headers of the protocol, in net/http's spelling.
const (
	HeaderASPID         = "X-Km-User-Aspid"
	HeaderCorrelationID = "X-Km-Correlation-Id"
	headerAccessKey     = "X-Km-Access-Key"
	HeaderKeyID         = "X-Km-Crypto-Key-Id"
	HeaderToken         = "X-Km-Tran-Token"
	headerTime          = "X-Km-Tran-Time"
	headerTimeZone      = "X-Km-Time-Zone"
)

// written has the protocol's spelling of them, for errors and for the upstream.
var written = map[string]string{
	HeaderASPID: "X-KM-User-AspId", HeaderCorrelationID: "X-KM-Correlation-Id", headerAccessKey: "X-KM-Access-Key",
	HeaderKeyID: "X-KM-Crypto-Key-Id", HeaderToken: "X-KM-Tran-Token", headerTime: "X-KM-Tran-Time", headerTimeZone: "X-KM-Time-Zone",
}

// Written returns the protocol's spelling of a header's name in net/http's spelling,
// or "" if the protocol has no such header.
func Written(name string) string { return written[name] }

// Set sets a header of the protocol, in the protocol's spelling. An empty value leaves
// the header as it is.
func Set(h http.Header, name, value string) {
	if value != "" {
		h[written[name]] = []string{value}
	}
}

// noDisguise refuses names that a lenient upstream could treat as the protocol's
// (X_KM_…), and a Connection header that names one of the protocol's.
func noDisguise(h http.Header) error {
	var disguised string // the first by name, so that the answer does not depend on the map's order
	for name := range h {
		if hides(name) && dashed(name) != name && (disguised == "" || name < disguised) {
			disguised = name
		}
	}
	if disguised != "" {
		return RefuseNamed(InvalidInput, knownOr(dashed(disguised), "X-KM"), "")
	}
	for _, value := range h["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if hides(strings.TrimSpace(option)) {
				return RefuseNamed(InvalidInput, "Connection", "")
			}
		}
	}
	return nil
}

const prefix = "X-KM-"

// isOurs reports whether a header's name is in the protocol's name space.
func isOurs(name string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// hides reports whether a name is in the protocol's name space, or looks like one that
// is.
func hides(name string) bool {
	return len(name) >= len(prefix) && (name[0] == 'X' || name[0] == 'x') && isOurs(dashed(name))
}

// dashed returns a header's name with a hyphen for every character that is neither a
// letter nor a digit. Servers that keep headers like environment variables do not
// tell such names apart.
func dashed(name string) string {
	return strings.Map(func(c rune) rune {
		if '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			return c
		}
		return '-'
	}, name)
}

func knownOr(name, otherwise string) string {
	if w, ok := written[http.CanonicalHeaderKey(name)]; ok {
		return w
	}
	return otherwise
}

// Strip removes every header of the protocol's name space, known or not, and those
// that look like one.
func Strip(h http.Header) {
	for name := range h {
		if hides(name) {
			delete(h, name)
		}
	}
}
