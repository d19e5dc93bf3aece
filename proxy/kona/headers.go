package kona

import (
	"net/http"
	"time"

	"kmproxy/crypto/trantoken"
	"kmproxy/keys"
)

// Headers are the X-KM headers of one request. Each has a valid form, but nothing in
// them is verified.
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

// Zones has the locations of the accepted values of X-KM-Time-Zone.
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
			continue // only an optional header may be missing
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

// Forward replaces the protocol's headers in to by those that the upstream gets: the
// verified ones, without the token and the access key. keyID is the id of the verified
// key, or empty.
func (h Headers) Forward(to http.Header, keyID keys.KeyID) {
	Strip(to)
	Set(to, HeaderASPID, string(h.ASPID))
	Set(to, HeaderCorrelationID, h.CorrelationID)
	Set(to, HeaderKeyID, string(keyID))
	Set(to, headerTime, h.Time)
	Set(to, headerTimeZone, h.Zone)
}
