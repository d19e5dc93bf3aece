package keys

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Lengths of the identifiers on the wire, in characters.
const (
	ASPIDLen     = 15
	AccessKeyLen = 40
	KeyIDLen     = 32
)

// ErrID reports an identifier that is not of its form.
var ErrID = errors.New("malformed identifier")

// ASPID names a service provider: 15 letters or digits.
type ASPID string

// AccessKey names a project's secret key in requests: 40 visible ASCII characters.
type AccessKey string

// KeyID names a crypto key: 32 hex digits. Two ids that differ in letter case
// alone are the same id.
type KeyID string

// ParseASPID checks an ASP id. Its error is ErrID.
func ParseASPID(s string) (ASPID, error) {
	if len(s) != ASPIDLen || !all(s, isAlnum) {
		return "", fmt.Errorf("%w: an ASP id is %d letters or digits", ErrID, ASPIDLen)
	}
	return ASPID(s), nil
}

// ParseAccessKey checks an access key. Its error is ErrID.
func ParseAccessKey(s string) (AccessKey, error) {
	if len(s) != AccessKeyLen || !all(s, isVisible) {
		return "", fmt.Errorf("%w: an access key is %d visible characters", ErrID, AccessKeyLen)
	}
	return AccessKey(s), nil
}

// ParseKeyID checks a key id. Its error is ErrID.
func ParseKeyID(s string) (KeyID, error) {
	if len(s) != KeyIDLen || !all(s, isHex) {
		return "", fmt.Errorf("%w: a key id is %d hex digits", ErrID, KeyIDLen)
	}
	return KeyID(s), nil
}

// NewKeyID makes a key id of 128 random bits.
func NewKeyID() KeyID { return KeyID(randomHex(KeyIDLen)) }

// NewAccessKey makes an access key of the shape that the payment platform gives
// out, with 156 random bits.
func NewAccessKey() AccessKey { return AccessKey(randomHex(7) + "-" + randomHex(32)) }

// Fold is the form in which key ids are compared and indexed: lower case.
func (id KeyID) Fold() KeyID { return KeyID(strings.ToLower(string(id))) }

// Equal reports whether two key ids are the same but for letter case.
func (id KeyID) Equal(other KeyID) bool { return id.Fold() == other.Fold() }

func randomHex(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
	return hex.EncodeToString(b)[:n]
}

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isVisible(c byte) bool { return '!' <= c && c <= '~' }
