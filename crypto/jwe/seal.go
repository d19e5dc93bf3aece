package jwe

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// Seal encrypts content into a compact JWE (RFC 7516 §5.1) and appends it to
// dst. Content key and IV are fresh for every message, so that no nonce is ever
// used twice under a key (RFC 7518 §8.4). The header names enc and alg and
// nothing else, as the payment platform's own clients expect. It fails if the key does
// not allow the suite. Safe for concurrent use.
func Seal(dst []byte, key jwk.Public, s alg.Suite, content []byte) ([]byte, error) {
	sealer, err := NewSealer(key, s)
	if err != nil {
		return dst, err
	}
	return sealer.Seal(dst, content)
}

// SealOver is Seal for content that nobody needs afterwards: the ciphertext takes its
// place in memory if there is room for the tag behind it.
func SealOver(dst []byte, key jwk.Public, s alg.Suite, content []byte) ([]byte, error) {
	sealer, err := NewSealer(key, s)
	if err != nil {
		return dst, err
	}
	return sealer.seal(dst, content[:0], content)
}

// RoomToSeal is the length of a JWE that so many bytes of content are sealed into; 0 if
// the key does not allow the suite.
func RoomToSeal(key jwk.Public, s alg.Suite, content int) int {
	if !key.Allows(s) {
		return 0
	}
	return roomToSeal(encodedHeader(s), key.RSA().Size(), content)
}

func roomToSeal(header []byte, encrypted, content int) int {
	n := len(header)
	for _, part := range []int{encrypted, ivBytes, content, tagBytes} {
		n += 1 + base64.RawURLEncoding.EncodedLen(part)
	}
	return n
}

// ErrWorn reports a content key that has sealed as many messages as it may.
var ErrWorn = errors.New("the content key has sealed as many messages as it may")

// maxSeals is how many messages one content key seals: far below the 2^32 that
// random IVs of 96 bits are good for (NIST SP 800-38D §8.3).
const maxSeals = 1 << 20

// Sealer seals messages under one content key, which is wrapped once, each with an IV
// of its own: for many messages to somebody who remembers content keys. Who learns
// the content key reads all of them. It is safe for concurrent use.
type Sealer struct {
	header    []byte
	encrypted []byte // the content key
	gcm       cipher.AEAD
	seals     atomic.Int64
}

// NewSealer makes a fresh content key. It fails if the key does not allow the suite.
func NewSealer(key jwk.Public, s alg.Suite) (*Sealer, error) {
	if !key.Allows(s) {
		return nil, fmt.Errorf("sealing: the key is not allowed %s", s)
	}
	cek := make([]byte, s.Enc.KeyBytes())
	_, _ = rand.Read(cek) // never fails: crypto/rand ends the program first
	defer clear(cek)

	encrypted, err := wrap(key, s.Key, cek)
	if err != nil {
		return nil, fmt.Errorf("sealing: wrapping the content key: %w", err)
	}
	return &Sealer{header: encodedHeader(s), encrypted: encrypted, gcm: newGCM(cek)}, nil
}

// Seal encrypts content into a compact JWE and appends it to dst. Its error is
// ErrWorn.
func (s *Sealer) Seal(dst, content []byte) ([]byte, error) { return s.seal(dst, nil, content) }

// seal makes the ciphertext in the memory of over, if that does.
func (s *Sealer) seal(dst, over, content []byte) ([]byte, error) {
	if s.seals.Add(1) > maxSeals {
		return dst, ErrWorn
	}
	var iv [ivBytes]byte
	_, _ = rand.Read(iv[:]) // as above
	sealed := s.gcm.Seal(over, iv[:], content, s.header)
	tag := sealed[len(content):]

	dst = slices.Grow(dst, roomToSeal(s.header, len(s.encrypted), len(content)))
	dst = append(dst, s.header...)
	for _, part := range [][]byte{s.encrypted, iv[:], sealed[:len(content)], tag} {
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
