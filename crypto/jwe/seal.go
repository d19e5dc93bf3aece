package jwe

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// Seal encrypts content into a compact JWE (RFC 7516 §5.1) and appends it to
// dst. Content key and IV are fresh for every message, so that no nonce is ever
// used twice under a key (RFC 7518 §8.4). The header names enc and alg and
// nothing else, as the payment platform's own clients expect. It fails if the key does
// not allow the suite. Safe for concurrent use.
func Seal(dst []byte, key jwk.Public, s alg.Suite, content []byte) ([]byte, error) {
	if !key.Allows(s) {
		return dst, fmt.Errorf("sealing: the key is not allowed %s", s)
	}
	secret := make([]byte, s.Enc.KeyBytes()+ivBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program first
	cek, iv := secret[:s.Enc.KeyBytes()], secret[s.Enc.KeyBytes():]
	defer clear(cek)

	encrypted, err := wrap(key, s.Key, cek)
	if err != nil {
		return dst, fmt.Errorf("sealing: wrapping the content key: %w", err)
	}
	header := encodedHeader(s)
	sealed := newGCM(cek).Seal(make([]byte, 0, len(content)+tagBytes), iv, content, header)
	tag := sealed[len(content):]

	parts := len(encrypted) + len(iv) + len(sealed)
	dst = slices.Grow(dst, len(header)+base64.RawURLEncoding.EncodedLen(parts)+8) // four dots, four part digits
	dst = append(dst, header...)
	for _, part := range [][]byte{encrypted, iv, sealed[:len(content)], tag} {
		dst = append(dst, '.')
		dst = base64.RawURLEncoding.AppendEncode(dst, part)
	}
	return dst, nil
}

// encodedHeader is the protected header as it goes on the wire, which is also
// the associated data (RFC 7516 §5.1 step 14).
func encodedHeader(s alg.Suite) []byte {
	return base64.RawURLEncoding.AppendEncode(nil, []byte(encFirst(s)))
}
