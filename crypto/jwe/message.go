// Package jwe opens and seals JSON Web Encryption messages in compact form
// (RFC 7516 §7.1): RSA-OAEP and RSA-OAEP-256 with A128GCM and A256GCM, and
// nothing else.
//
// It is written against an attacker who may send as many messages as he likes
// and measure every answer: a message whose header was accepted fails in one way
// and at one cost, whatever is wrong with it (RFC 7516 §11.4, §11.5).
package jwe

import (
	"bytes"
	"encoding/base64"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// MaxHeaderBytes bounds the encoded header, in bytes. Real headers have 39 to
// 150; a megabyte of header is an attack on the parser.
const MaxHeaderBytes = 1024

const (
	ivBytes  = 12 // RFC 7518 §5.3: 96-bit IV
	tagBytes = 16 // RFC 7518 §5.3: 128-bit tag

	maxKeyBytes = jwk.MaxBits / 8 // an encrypted key is as long as the modulus
)

// Message is a compact JWE whose header was accepted. Nothing in it is decrypted
// or authentic. The zero value opens nothing.
type Message struct {
	suite  alg.Suite
	aad    []byte // the header as it was received: RFC 7516 §5.2 step 15
	key    []byte // the encrypted content key
	iv     []byte
	sealed []byte // ciphertext and, behind it, the tag
	flaw   string // what is wrong with the parts behind the header, if anything
}

// Parse reads a compact JWE (RFC 7516 §5.2 steps 1 to 5). It refuses what is not
// five parts and every header that is not on the allow-list; flaws of the other
// parts are kept for Open, which fails on them at the cost of any failure.
// The Message keeps no reference to token. Errors are ErrOpen.
func Parse(token []byte) (Message, error) {
	parts, ok := split(token)
	if !ok {
		return Message{}, fail("not five parts separated by dots")
	}
	if len(parts[0]) > MaxHeaderBytes {
		return Message{}, fail("the header is longer than 1024 bytes")
	}
	suite, err := headerSuite(parts[0])
	if err != nil {
		return Message{}, err
	}
	m := Message{suite: suite, aad: bytes.Clone(parts[0])}
	m.decodeParts(parts)
	return m, nil
}

// Suite is what the header names. It is not authentic before Open.
func (m Message) Suite() alg.Suite { return m.suite }

// decodeParts decodes what follows the header. A part that does not decode, or
// whose length the algorithm does not have, never reaches a primitive: a decoy
// takes its place (for the encrypted key in unwrap, which knows the modulus), and
// the flaw is remembered. No part makes more memory than it may fill.
func (m *Message) decodeParts(parts [5][]byte) {
	var ok bool
	if len(parts[1]) > base64.RawURLEncoding.EncodedLen(maxKeyBytes) {
		m.flawed("the encrypted key is longer than that of any accepted RSA key")
	} else if m.key, ok = decode(nil, parts[1]); !ok {
		m.flawed("the encrypted key is not canonical base64url")
		m.key = nil
	}
	if m.iv, ok = decodeExact(parts[2], ivBytes); !ok {
		m.flawed("the IV is not 12 bytes in canonical base64url")
	}
	n := base64.RawURLEncoding.DecodedLen(len(parts[3]))
	if m.sealed, ok = decode(make([]byte, 0, n+tagBytes), parts[3]); !ok {
		m.flawed("the ciphertext is not canonical base64url")
		m.sealed = make([]byte, n, n+tagBytes)
	}
	tag, ok := decodeExact(parts[4], tagBytes)
	if !ok {
		m.flawed("the tag is not 16 bytes in canonical base64url")
	}
	m.sealed = append(m.sealed, tag...)
}

// flawed remembers the first flaw.
func (m *Message) flawed(what string) {
	if m.flaw == "" {
		m.flaw = what
	}
}

// split cuts a token at its dots. Exactly five parts are a compact JWE
// (RFC 7516 §7.1); a sixth dot ends the work, however many follow.
func split(token []byte) (parts [5][]byte, ok bool) {
	for i := range parts[:4] {
		part, rest, found := bytes.Cut(token, []byte{'.'})
		if !found {
			return parts, false
		}
		parts[i], token = part, rest
	}
	parts[4] = token
	return parts, bytes.IndexByte(token, '.') < 0
}

// strict refuses non-zero trailing bits, so that one message has one spelling.
var strict = base64.RawURLEncoding.Strict()

// decode appends the base64url of part to dst: no padding, no line breaks, no
// white space (RFC 7515 §2). Go's decoder skips line breaks, hence the first check.
func decode(dst, part []byte) ([]byte, bool) {
	if bytes.IndexByte(part, '\n') >= 0 || bytes.IndexByte(part, '\r') >= 0 {
		return nil, false
	}
	out, err := strict.AppendDecode(dst, part)
	return out, err == nil
}

// decodeExact decodes a part that must have n bytes; of any other it returns n
// zeros, unread.
func decodeExact(part []byte, n int) ([]byte, bool) {
	if len(part) == base64.RawURLEncoding.EncodedLen(n) {
		if out, ok := decode(make([]byte, 0, n), part); ok {
			return out, true
		}
	}
	return make([]byte, n), false
}
