package keys

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
)

// Pin names the key of a client certificate: the SHA-256 of its
// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). It outlives the certificate, whose
// owner may have it renewed under the same key, and a handshake proves who has
// that key. The zero Pin names none.
type Pin [sha256.Size]byte

// NewPin is the Pin of a certificate's SubjectPublicKeyInfo, in DER.
func NewPin(spki []byte) Pin { return sha256.Sum256(spki) }

// ParsePin reads 64 hex digits. The zero Pin is none, and its error is ErrID.
func ParsePin(s string) (Pin, error) {
	var p Pin
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(p) || Pin(b) == p {
		return Pin{}, fmt.Errorf("%w: a pin is the SHA-256 of a public key in 64 hex digits", ErrID)
	}
	return Pin(b), nil
}

// String is the Pin in lower-case hex; empty for the zero Pin.
func (p Pin) String() string {
	if p == (Pin{}) {
		return ""
	}
	return hex.EncodeToString(p[:])
}

// Admits tells whether a connection may speak for who is pinned to p. shown is
// the connection's own; zero: it has no certificate.
func (p Pin) Admits(shown Pin) bool {
	return p == (Pin{}) || subtle.ConstantTimeCompare(p[:], shown[:]) == 1
}
