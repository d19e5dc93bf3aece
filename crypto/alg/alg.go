// Package alg has the table of all JWE algorithms that kmproxy supports.
//
// A new algorithm needs a row here and a file in package jwe.
package alg

import (
	"crypto"
	"errors"
	"fmt"
)

// ErrUnsupported reports a name that is not in the table. RSA1_5 must never be added:
// its padding makes Bleichenbacher's attack possible (RFC 8725 §3.2).
var ErrUnsupported = errors.New("algorithm is not supported")

// Key is a key management algorithm, the "alg" of a JWE (RFC 7518 §4.1). The
// zero value is invalid.
type Key uint8

// The key management algorithms.
const (
	RSAOAEP    Key = iota + 1 // RSAES-OAEP with SHA-1 and MGF1 with SHA-1, RFC 7518 §4.3
	RSAOAEP256                // RSAES-OAEP with SHA-256 and MGF1 with SHA-256, RFC 7518 §4.3
)

// Enc is a content encryption algorithm, the "enc" of a JWE (RFC 7518 §5.1).
// The zero value is invalid.
type Enc uint8

// The content encryption algorithms.
const (
	A128GCM Enc = iota + 1 // AES-GCM with a 128-bit key, RFC 7518 §5.3
	A256GCM                // AES-GCM with a 256-bit key, RFC 7518 §5.3
)

type keyRow struct {
	name string
	hash crypto.Hash
}

type encRow struct {
	name     string
	keyBytes int
}

var (
	keyRows = [...]keyRow{RSAOAEP: {"RSA-OAEP", crypto.SHA1}, RSAOAEP256: {"RSA-OAEP-256", crypto.SHA256}}
	encRows = [...]encRow{A128GCM: {"A128GCM", 16}, A256GCM: {"A256GCM", 32}}
)

// ParseKey returns the key management algorithm with exactly this name.
func ParseKey(name string) (Key, error) {
	for k := RSAOAEP; int(k) < len(keyRows); k++ {
		if keyRows[k].name == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("alg %q: %w", clip(name), ErrUnsupported)
}

// ParseEnc returns the content encryption algorithm with exactly this name.
func ParseEnc(name string) (Enc, error) {
	for e := A128GCM; int(e) < len(encRows); e++ {
		if encRows[e].name == name {
			return e, nil
		}
	}
	return 0, fmt.Errorf("enc %q: %w", clip(name), ErrUnsupported)
}

// Valid reports whether k is in the table.
func (k Key) Valid() bool { return k > 0 && int(k) < len(keyRows) }

// Hash returns the hash that both OAEP and its MGF1 use (RFC 7518 §4.3).
func (k Key) Hash() crypto.Hash { return keyRows[k].hash }

// String returns the name used on the wire.
func (k Key) String() string {
	if !k.Valid() {
		return fmt.Sprintf("invalid alg %d", uint8(k))
	}
	return keyRows[k].name
}

// Valid reports whether e is in the table.
func (e Enc) Valid() bool { return e > 0 && int(e) < len(encRows) }

// KeyBytes returns the length of the content encryption key in bytes.
func (e Enc) KeyBytes() int { return encRows[e].keyBytes }

// String returns the name used on the wire.
func (e Enc) String() string {
	if !e.Valid() {
		return fmt.Sprintf("invalid enc %d", uint8(e))
	}
	return encRows[e].name
}

// clip shortens an untrusted name for an error message.
func clip(name string) string {
	const most = 32
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
