package kona

import (
	"net/http"
	"strings"
	"time"

	"kmproxy/crypto/trantoken"
	"kmproxy/keys"
)

// The headers of the protocol, in net/http's spelling.
const (
	HeaderASPID         = "X-Km-User-Aspid"
	HeaderCorrelationID = "X-Km-Correlation-Id"
	HeaderAccessKey     = "X-Km-Access-Key"
	HeaderKeyID         = "X-Km-Crypto-Key-Id"
	HeaderToken         = "X-Km-Tran-Token"
	HeaderTime          = "X-Km-Tran-Time"
	HeaderTimeZone      = "X-Km-Time-Zone"
)

// written is how the protocol spells them, in errors and towards the upstream.
var written = map[string]string{
	HeaderASPID: "X-KM-User-AspId", HeaderCorrelationID: "X-KM-Correlation-Id", HeaderAccessKey: "X-KM-Access-Key",
	HeaderKeyID: "X-KM-Crypto-Key-Id", HeaderToken: "X-KM-Tran-Token", HeaderTime: "X-KM-Tran-Time", HeaderTimeZone: "X-KM-Time-Zone",
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

// Headers are the X-KM headers of one request, each of its form. Nothing in them
// is verified.
type Headers struct {
	ASPID         keys.ASPID
	CorrelationID string
	AccessKey     keys.AccessKey
	KeyID         keys.KeyID // empty: none was sent
	Token         trantoken.Token
	Time          string // as it was sent
	Zone          string
	SentAt        time.Time // Time in Zone
	TokenAt       time.Time // the token's time in Zone
}

// Zones says which values of X-KM-Time-Zone are accepted and what they mean.
type Zones map[string]*time.Location

// ReadHeaders reads the X-KM headers. It reports the first invalid one, in the order
// of the protocol's documentation. The error is an [*Error] for MissingValue,
// WrongLength or InvalidInput; its name is one of the protocol's, never text that
// the caller sent.
func ReadHeaders(h http.Header, zones Zones) (Headers, error) {
	if err := noDisguise(h); err != nil {
		return Headers{}, err
	}
	var out Headers
	for _, step := range readers {
		value, err := step.single(h)
		if err != nil {
			return Headers{}, err
		}
		if value == "" {
			continue // it is optional, or single had refused
		}
		if fault := step.read(&out, value, zones); fault != 0 {
			return Headers{}, RefuseNamed(fault, Written(step.name), "")
		}
	}
	return out, nil
}

// CorrelationID returns the request's correlation id if it has a valid one.
func CorrelationID(h http.Header) (string, bool) {
	values := h[HeaderCorrelationID]
	if len(values) != 1 || !isCorrelationID(values[0]) {
		return "", false
	}
	return values[0], true
}

// noDisguise refuses names that a lenient server behind us could take for ours
// (X_KM_…), and a Connection header that would remove ours on the way.
func noDisguise(h http.Header) error {
	var disguised string // the first by name: the answer must not depend on a map's order
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

// isOurs tells whether a header's name is in the protocol's name space.
func isOurs(name string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// hides tells whether a name is, or looks like one, in the protocol's name space.
func hides(name string) bool {
	return len(name) >= len(prefix) && (name[0] == 'X' || name[0] == 'x') && isOurs(dashed(name))
}

// dashed is a header's name as servers see it that keep headers like environment
// variables: there every sign that is no letter and no digit is the same.
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

// Strip removes every header of the protocol's name space, known or not, and
// those that hide as one.
func Strip(h http.Header) {
	for name := range h {
		if hides(name) {
			delete(h, name)
		}
	}
}

// Forward replaces the protocol's headers in to by those that the upstream gets: the
// verified ones, without the token and the access key. keyID is the id of the verified
// key, or empty.
func (h Headers) Forward(to http.Header, keyID keys.KeyID) {
	Strip(to)
	Set(to, HeaderASPID, string(h.ASPID))
	Set(to, HeaderCorrelationID, h.CorrelationID)
	Set(to, HeaderKeyID, string(keyID))
	Set(to, HeaderTime, h.Time)
	Set(to, HeaderTimeZone, h.Zone)
}
