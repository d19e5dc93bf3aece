package kona

import (
	"errors"
	"net/http"

	"kmproxy/crypto/trantoken"
	"kmproxy/keys"
)

// correlationIDLen is the length of yyMMddHHmmss, a hyphen and 7 hex digits.
const correlationIDLen = 20

// reader reads one header.
type reader struct {
	name     string
	optional bool
	read     func(*Headers, string, Zones) Failure // 0: the value is valid
}

// readers are in the order in which invalid headers are reported. The zone comes before
// the times, which are in that zone.
var readers = [...]reader{
	{HeaderASPID, false, readASPID},
	{HeaderCorrelationID, false, readCorrelationID},
	{headerAccessKey, false, readAccessKey},
	{HeaderKeyID, true, readKeyID},
	{headerTimeZone, false, readZone},
	{HeaderToken, false, readToken},
	{headerTime, false, readTime},
}

// single returns the only value of a header. A mandatory header without a value is
// missing; an optional one with an empty value has the wrong length.
func (r reader) single(h http.Header) (string, error) {
	values, sent := h[r.name]
	switch {
	case len(values) > 1:
		return "", RefuseNamed(InvalidInput, Written(r.name), "")
	case sent && len(values) == 1 && values[0] != "":
		return values[0], nil
	case !r.optional:
		return "", RefuseNamed(MissingValue, Written(r.name), "")
	case sent:
		return "", RefuseNamed(WrongLength, Written(r.name), "")
	}
	return "", nil
}

func readASPID(h *Headers, s string, _ Zones) Failure {
	var err error
	h.ASPID, err = keys.ParseASPID(s)
	return fault(len(s) == keys.ASPIDLen, err)
}

func readCorrelationID(h *Headers, s string, _ Zones) Failure {
	h.CorrelationID = s
	switch {
	case len(s) != correlationIDLen:
		return WrongLength
	case !isCorrelationID(s):
		return InvalidInput
	}
	return 0
}

func readAccessKey(h *Headers, s string, _ Zones) Failure {
	var err error
	h.AccessKey, err = keys.ParseAccessKey(s)
	return fault(len(s) == keys.AccessKeyLen, err)
}

func readKeyID(h *Headers, s string, _ Zones) Failure {
	var err error
	h.KeyID, err = keys.ParseKeyID(s)
	return fault(len(s) == keys.KeyIDLen, err)
}

func readToken(h *Headers, s string, zones Zones) Failure {
	var err error
	h.Token, err = trantoken.Parse(s)
	if err == nil {
		h.TokenAt = h.Token.At(zones[h.Zone])
	}
	return fault(!errors.Is(err, trantoken.ErrLength), err)
}

func readZone(h *Headers, s string, zones Zones) Failure {
	const zoneLen = 3
	h.Zone = s
	if len(s) != zoneLen {
		return WrongLength
	}
	if zones[s] == nil {
		return InvalidInput
	}
	return 0
}

func readTime(h *Headers, s string, zones Zones) Failure {
	var err error
	h.Time = s
	h.SentAt, err = parseTime(s, zones[h.Zone])
	return fault(len(s) == timeLen || len(s) == timeLen+3, err)
}

// fault returns the failure for a value with the wrong length or form, or 0.
func fault(rightLength bool, err error) Failure {
	switch {
	case !rightLength:
		return WrongLength
	case err != nil:
		return InvalidInput
	}
	return 0
}

func isCorrelationID(s string) bool {
	if len(s) != correlationIDLen || s[12] != '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		digit := '0' <= c && c <= '9'
		hex := digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
		if i < 12 && !digit || i > 12 && !hex {
			return false
		}
	}
	return true
}
