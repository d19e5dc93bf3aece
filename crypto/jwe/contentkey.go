package jwe

import (
	"bytes"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/sensitive"
)

// Wrapped is a content key as messages carry it: encrypted, with the algorithms that
// it is for. It is no secret. Two are equal if they agree in every bit.
type Wrapped struct {
	suite     alg.Suite
	encrypted string
}

// Wrapped is the content key that a message says it is sealed under.
func (m Message) Wrapped() Wrapped { return Wrapped{m.suite, string(m.key)} }

// ContentKey is the content key of a message that was opened. It opens others under
// the same Wrapped, without the private key. It is a handle: copies share the secret,
// and Wipe clears it for all. It prints as nothing. It is safe for concurrent use as
// long as nobody wipes it meanwhile.
type ContentKey struct {
	of  Wrapped
	cek sensitive.Bytes
}

// Wrapped is what messages under the key carry.
func (k ContentKey) Wrapped() Wrapped { return k.of }

// Open decrypts a message that carries the very Wrapped of the key, and has no flaw.
// It is not the way for others: they fail sooner than by the private key. Every
// error is ErrOpen. As by the private key, header and content are authentic.
func (k ContentKey) Open(m Message) (Plaintext, error) {
	cek := k.cek.Expose()
	if len(cek) == 0 || m.Flawed() || m.suite != k.of.suite || string(m.key) != k.of.encrypted {
		return Plaintext{}, fail("the message is under another content key, or flawed")
	}
	content, authentic := openGCM(m.dst(), cek, m.iv, m.sealed, m.aad)
	if !authentic {
		return Plaintext{}, &openError{flawTag, m.suite}
	}
	return Plaintext{sensitive.New(content)}, nil
}

// Clone is the same key in memory of its own.
func (k ContentKey) Clone() ContentKey {
	return ContentKey{k.of, sensitive.New(bytes.Clone(k.cek.Expose()))}
}

// Wipe overwrites the key when it is no longer needed.
func (k ContentKey) Wipe() { k.cek.Wipe() }
