// Package trantoken makes and verifies X-KM-Tran-Token: a time and an HMAC-SHA256 over
// the exact body of a request, in the form "KMV1:" time ":" base64.
//
// A client calls [Make] with the body that it sends. A server calls [Parse] and then
// [Token.Verify] with the body that it received, byte for byte: a body that was decoded
// and encoded again does not verify.
//
// The MAC covers the body alone, not the token's own time. To keep an old message from
// being accepted with a new time, a server compares [Token.At] with its clock and remembers
// [Token.MAC] for as long as it accepts old times.
package trantoken

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"kmproxy/crypto/sensitive"
)

// The accepted lengths, in characters: the time has 16 or 17 digits, and the MAC's
// base64 may be padded or not. The documents say 66; clients send 67.
const (
	minLen = 65
	maxLen = 67
)

const prefix = "KMV1:"

// Errors of Parse.
var (
	ErrLength = errors.New("the token is not 65 to 67 characters long")
	ErrForm   = errors.New("the token is not of the form KMV1:time:base64")
)

// Token is a well-formed token. Nothing in it is verified.
type Token struct {
	digits string
	mac    [sha256.Size]byte
}

// Parse parses a token. Errors are [ErrLength] or [ErrForm].
func Parse(s string) (Token, error) {
	if len(s) < minLen || len(s) > maxLen {
		return Token{}, ErrLength
	}
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return Token{}, ErrForm
	}
	digits, encoded, ok := strings.Cut(rest, ":")
	if !ok {
		return Token{}, ErrForm
	}
	t := Token{digits: digits}
	if _, err := parseTime(digits, time.UTC); err != nil {
		return Token{}, ErrForm
	}
	if !decodeMAC(&t.mac, encoded) {
		return Token{}, ErrForm
	}
	return t, nil
}

// decodeMAC decodes standard base64 with or without its one "=". It refuses trailing
// bits. It also refuses line breaks: Go's decoder skips them, but then a byte is
// missing.
func decodeMAC(mac *[sha256.Size]byte, encoded string) bool {
	encoded = strings.TrimSuffix(encoded, "=")
	if len(encoded) != base64.RawStdEncoding.EncodedLen(len(mac)) {
		return false
	}
	n, err := base64.RawStdEncoding.Strict().Decode(mac[:], []byte(encoded))
	return err == nil && n == len(mac)
}

// At returns the token's time, read as local time in loc.
func (t Token) At(loc *time.Location) time.Time {
	at, _ := parseTime(t.digits, loc) // Parse has checked it
	return at
}

// MAC returns the MAC that the caller sent.
func (t Token) MAC() [sha256.Size]byte { return t.mac }

// Verify reports whether the token's MAC is that of body under secret. It takes the
// same time whether and wherever the two differ. It returns false for an empty secret,
// such as one that was wiped, because anyone could make that MAC.
func (t Token) Verify(secret sensitive.Bytes, body []byte) bool {
	want := sum(secret, body)
	return subtle.ConstantTimeCompare(want[:], t.mac[:]) == 1 && secret.Len() > 0
}

// Make returns the token of a body. It has 67 characters: the time, with milliseconds,
// is local time in at's own location.
func Make(secret sensitive.Bytes, body []byte, at time.Time) string {
	mac := sum(secret, body)
	digits := strings.Replace(at.Format("20060102150405.000"), ".", "", 1)
	return prefix + digits + ":" + base64.StdEncoding.EncodeToString(mac[:])
}

// sum returns the MAC of body. Its key is the text of the secret as issued, not
// decoded.
func sum(secret sensitive.Bytes, body []byte) (mac [sha256.Size]byte) {
	h := hmac.New(sha256.New, secret.Expose())
	h.Write(body)
	h.Sum(mac[:0])
	return mac
}
