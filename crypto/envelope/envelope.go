// Package envelope encrypts secrets under a master key for storage.
//
// A sealed text is bound to its record, field and version, and to the plain part that
// is stored with it. It does not open if it is copied to another place, kept for a
// later version, or stored with a plain part that was changed.
package envelope

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"kmproxy/crypto/sensitive"
)

const (
	scheme  = "km1"
	idBytes = 8
)

// Errors of Open.
var (
	// ErrOtherKey reports a text that was sealed under another master key.
	ErrOtherKey = errors.New("sealed under another master key")
	// ErrSealed reports a text that does not open in its place: the text, or something
	// it is bound to, was changed, copied or moved.
	ErrSealed = errors.New("does not open: it was changed, copied or moved")
)

// Place identifies where a sealed text is stored. The text is bound to it.
type Place struct {
	Record  string // the record's name in the store
	Field   string
	Version uint64 // the version of the record, which grows with every write
}

// Key is a master key. Its value is never printed. The zero value opens nothing and
// must not be used to seal. It is safe for concurrent use.
type Key struct {
	aead    *cipher.AEAD // a pointer, because fmt follows an interface, even in an unexported field
	id      string
	scratch *sync.Pool // of *[]byte, for Proves
}

// newKey derives the sealing key and the key's id from a 32-byte secret. The two
// derivations are independent, so that the id reveals nothing about the key (RFC 5869
// §3.2).
func newKey(secret []byte) (Key, error) {
	sealing, err := hkdf.Key(sha256.New, secret, nil, "kmproxy store sealing 1", chacha20poly1305.KeySize)
	if err != nil {
		return Key{}, fmt.Errorf("deriving the sealing key: %w", err)
	}
	defer clear(sealing)
	id, err := hkdf.Key(sha256.New, secret, nil, "kmproxy store key id 1", idBytes)
	if err != nil {
		return Key{}, fmt.Errorf("deriving the master key's id: %w", err)
	}
	aead, err := chacha20poly1305.NewX(sealing)
	if err != nil {
		return Key{}, fmt.Errorf("preparing the sealing key: %w", err)
	}
	scratch := &sync.Pool{New: func() any { return new([]byte) }}
	return Key{aead: &aead, id: hex.EncodeToString(id), scratch: scratch}, nil
}

// ID returns the master key's id: 16 hex digits, which reveal nothing about the key.
func (k Key) ID() string { return k.id }

// GoString keeps the key out of %#v.
func (k Key) GoString() string { return sensitive.Redacted }

// Format keeps the key out of all verbs.
func (k Key) Format(f fmt.State, verb rune) { sensitive.Bytes{}.Format(f, verb) }

// Seal encrypts secret for a place and binds it to the plain part beside. The nonce has
// 192 random bits, so that the number of records is not limited.
func (k Key) Seal(at Place, beside, secret []byte) string {
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(secret)+chacha20poly1305.Overhead)
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	sealed := (*k.aead).Seal(nonce, nonce, secret, at.associated(beside))
	return scheme + "." + k.id + "." + base64.RawURLEncoding.EncodeToString(sealed)
}

// Open returns the secret of a text that was sealed for the same place and the same
// plain part. Errors are [ErrOtherKey] or [ErrSealed].
func (k Key) Open(at Place, beside []byte, text string) (sensitive.Bytes, error) {
	id, encoded, ok := parts(text)
	if !ok {
		return sensitive.Bytes{}, ErrSealed
	}
	if id != k.id {
		return sensitive.Bytes{}, fmt.Errorf("%w (its id is %s; the id of the one in use is %s)", ErrOtherKey, id, k.id)
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(sealed) < chacha20poly1305.NonceSizeX {
		return sensitive.Bytes{}, ErrSealed
	}
	nonce, sealed := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	secret, err := (*k.aead).Open(sealed[:0], nonce, sealed, at.associated(beside))
	if err != nil {
		return sensitive.Bytes{}, ErrSealed
	}
	return sensitive.New(secret), nil
}

// Proves reports whether [Key.Open] would succeed. It discards the secret and allocates
// no memory, so that it is cheap for very many texts.
func (k Key) Proves(at Place, beside, text []byte) bool {
	encoded, ok := bytes.CutPrefix(text, []byte(scheme+"."+k.id+"."))
	if k.aead == nil || !ok || bytes.ContainsRune(encoded, '\r') || bytes.ContainsRune(encoded, '\n') { // Go's base64 decoder would skip them
		return false
	}
	buf := k.scratch.Get().(*[]byte)
	defer k.scratch.Put(buf)
	*buf = at.appendTo((*buf)[:0], beside)
	associated := len(*buf)
	all, err := base64.RawURLEncoding.Strict().AppendDecode(*buf, encoded)
	*buf = all
	sealed := all[associated:]
	if err != nil || len(sealed) < chacha20poly1305.NonceSizeX {
		return false
	}
	nonce, sealed := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	secret, err := (*k.aead).Open(sealed[:0], nonce, sealed, all[:associated])
	clear(secret)
	return err == nil
}

// KeyID returns the id of the master key that sealed a text, without opening it.
func KeyID(text string) (string, bool) {
	id, _, ok := parts(text)
	return id, ok
}

func parts(text string) (id, encoded string, ok bool) {
	head, rest, _ := strings.Cut(text, ".")
	id, encoded, ok = strings.Cut(rest, ".")
	raw, err := hex.DecodeString(id)
	if !ok || head != scheme || err != nil || len(raw) != idBytes || hex.EncodeToString(raw) != id {
		return "", "", false
	}
	skipped := strings.IndexByte(encoded, '\r') >= 0 || strings.IndexByte(encoded, '\n') >= 0 // Go's base64 decoder would skip them
	return id, encoded, !skipped
}

// associated encodes the place and the plain part unambiguously: each text follows its
// length.
func (p Place) associated(beside []byte) []byte {
	const numbers = 4 * 8 // three lengths and the version
	return p.appendTo(make([]byte, 0, len(scheme)+len(p.Record)+len(p.Field)+len(beside)+numbers), beside)
}

func (p Place) appendTo(out, beside []byte) []byte {
	out = append(out, scheme...)
	for _, part := range [][]byte{[]byte(p.Record), []byte(p.Field), beside} {
		out = binary.BigEndian.AppendUint64(out, uint64(len(part)))
		out = append(out, part...)
	}
	return binary.BigEndian.AppendUint64(out, p.Version)
}
