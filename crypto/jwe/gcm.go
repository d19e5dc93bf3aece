package jwe

import (
	"crypto/aes"
	"crypto/cipher"
)

// newGCM is AES-GCM with the 96-bit IV and 128-bit tag of RFC 7518 §5.3. It
// panics on a content key of a length AES does not have: the callers make it
// from the table of algorithms.
func newGCM(cek []byte) cipher.AEAD {
	block, err := aes.NewCipher(cek)
	if err != nil {
		panic("jwe: " + err.Error())
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("jwe: " + err.Error())
	}
	return gcm
}

// openGCM decrypts a ciphertext with its tag behind it and appends the content to
// dst, which may be the ciphertext's own beginning.
func openGCM(dst, cek, iv, sealed, aad []byte) (content []byte, authentic bool) {
	content, err := newGCM(cek).Open(dst, iv, sealed, aad)
	return content, err == nil
}

// dst is where the content goes: into new memory, so that a Message never holds
// plaintext, unless the memory was lent for that.
func (m Message) dst() []byte {
	if m.lent {
		return m.sealed[:0]
	}
	return make([]byte, 0, len(m.sealed)-tagBytes)
}
