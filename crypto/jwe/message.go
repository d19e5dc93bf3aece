// Package jwe opens and seals JSON Web Encryption messages in compact form
// (RFC 7516 §7.1): RSA-OAEP and RSA-OAEP-256 with A128GCM and A256GCM, and
// nothing else.
//
// # Which call to choose
//
// [Parse] and then [Open] read a message; [Seal] makes one. These are right wherever
// speed does not matter. The others do the same work with less:
//
//   - [ParseInto] and [SealOver] use memory that the caller provides, of the size that
//     [RoomFor] and [RoomToSeal] return.
//   - A [Sealer] wraps one content key for many messages, and [OpenKeeping] keeps that
//     key for the messages after the first. Both save an RSA operation for each message,
//     and a content key that leaks opens all of them.
//
// # What an attacker learns
//
// An attacker may send as many messages as they like and measure every answer. So a
// message whose header was accepted fails in one way and at one cost, whatever is wrong
// with it (RFC 7516 §11.4, §11.5): every error is [ErrOpen]. [Reason] tells the log more.
package jwe

import (
	"bytes"
	"encoding/base64"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// maxHeaderBytes bounds the encoded header, in bytes. Real headers have 39 to
// 150; a megabyte of header is an attack on the parser.
const maxHeaderBytes = 1024

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
	lent   bool   // the memory is the caller's, and plaintext takes the ciphertext's place
}

// Parse reads a compact JWE (RFC 7516 §5.2 steps 1 to 5). It refuses what is not
// five parts and every header that is not on the allow-list; flaws of the other
// parts are kept for Open, which fails on them at the cost of any failure.
// The Message keeps no reference to token. Errors are ErrOpen.
func Parse(token []byte) (Message, error) {
	return parse(nil, token)
}

// ParseInto is Parse without memory of its own: the Message lies in room, which must
// have RoomFor(token) bytes and must not be touched as long as it is used. Open then
// decrypts in place, so that the Message opens once, and its Plaintext lies in room
// too.
func ParseInto(room, token []byte) (Message, error) {
	m, err := parse(room[:RoomFor(token)], token)
	m.lent = true
	return m, err
}

// RoomFor is how many bytes a token takes when it is read.
func RoomFor(token []byte) int { return len(token) + ivBytes + tagBytes }

// parse puts the parts into room, or into new memory once the header is accepted.
func parse(room, token []byte) (Message, error) {
	parts, ok := split(token)
	if !ok {
		return Message{}, fail("not five parts separated by dots")
	}
	if len(parts[0]) > maxHeaderBytes {
		return Message{}, fail("the header is longer than 1024 bytes")
	}
	suite, err := headerSuite(parts[0])
	if err != nil {
		return Message{}, err
	}
	m := Message{suite: suite}
	if len(parts[1]) > base64.RawURLEncoding.EncodedLen(maxKeyBytes) {
		m.flawed("the encrypted key is longer than that of any accepted RSA key")
		parts[1] = nil
	}
	if room == nil {
		room = make([]byte, len(parts[0])+decodedLen(parts[1])+ivBytes+decodedLen(parts[3])+tagBytes)
	}
	m.aad = room[:copy(room, parts[0])]
	m.decodeParts(parts, room[len(parts[0]):])
	return m, nil
}

// CiphertextBytes is the length of what is encrypted, and of what comes out of it.
func (m Message) CiphertextBytes() int { return max(len(m.sealed)-tagBytes, 0) }

// Suite is what the header names. It is not authentic before Open.
func (m Message) Suite() alg.Suite { return m.suite }

// Flawed tells whether a part behind the header is known not to be what it should.
func (m Message) Flawed() bool { return m.flaw != "" }

// decodeParts decodes what follows the header into room. A part that does not
// decode, or whose length the algorithm does not have, never reaches a primitive: a
// decoy takes its place (for the encrypted key in unwrap, which knows the modulus),
// and the flaw is remembered. No part takes more of room than it may fill.
func (m *Message) decodeParts(parts [5][]byte, room []byte) {
	take := func(n int) []byte {
		piece := room[:0:n]
		room = room[n:]
		return piece
	}
	var ok bool
	if m.key, ok = decode(take(decodedLen(parts[1])), parts[1]); !ok {
		m.flawed("the encrypted key is not canonical base64url")
		m.key = nil
	}
	if m.iv, ok = decodeExact(take(ivBytes), parts[2]); !ok {
		m.flawed("the IV is not 12 bytes in canonical base64url")
	}
	n := decodedLen(parts[3])
	m.sealed = take(n + tagBytes)
	content, ok := decode(m.sealed, parts[3])
	if !ok {
		m.flawed("the ciphertext is not canonical base64url")
		content = m.sealed[:n]
		clear(content)
	}
	tag, ok := decodeExact(m.sealed[n:n:n+tagBytes], parts[4])
	if !ok {
		m.flawed("the tag is not 16 bytes in canonical base64url")
	}
	m.sealed = m.sealed[:len(content)+len(tag)]
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

func decodedLen(part []byte) int { return base64.RawURLEncoding.DecodedLen(len(part)) }

// decode appends the base64url of part to dst: no padding, no line breaks, no
// white space (RFC 7515 §2). Go's decoder skips line breaks, hence the first check.
func decode(dst, part []byte) ([]byte, bool) {
	if bytes.IndexByte(part, '\n') >= 0 || bytes.IndexByte(part, '\r') >= 0 {
		return nil, false
	}
	out, err := strict.AppendDecode(dst, part)
	return out, err == nil
}

// decodeExact decodes a part that must fill dst to its capacity; of any other it
// returns as many zeros, unread.
func decodeExact(dst, part []byte) ([]byte, bool) {
	if len(part) == base64.RawURLEncoding.EncodedLen(cap(dst)) {
		if out, ok := decode(dst, part); ok {
			return out, true
		}
	}
	zeros := dst[:cap(dst)]
	clear(zeros)
	return zeros, false
}
