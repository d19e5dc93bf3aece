package jwe

import (
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
)

// Open decrypts a message (RFC 7516 §5.2 steps 6 to 19). Which algorithms the key
// may be used with is the key's matter, not the message's. Every error is
// ErrOpen. From the first use of the key on, all failures do the same work: an
// unwrapping that failed goes on with a random content key (§11.5).
//
// The message is not changed, unless it was read by ParseInto. Safe for concurrent use.
func Open(key jwk.Private, m Message) (Plaintext, error) {
	plain, cek, err := open(key, m)
	clear(cek)
	return plain, err
}

// OpenKeeping is Open for who will open more messages under the same content key,
// which it returns. A message that does not open has none.
func OpenKeeping(key jwk.Private, m Message) (Plaintext, ContentKey, error) {
	plain, cek, err := open(key, m)
	if err != nil {
		clear(cek)
		return Plaintext{}, ContentKey{}, err
	}
	return plain, ContentKey{m.Wrapped(), sensitive.New(cek)}, nil
}

// open also returns the content key that was used, which the caller must clear.
func open(key jwk.Private, m Message) (_ Plaintext, cek []byte, _ error) {
	if !key.Allows(m.suite) { // nor any key the zero suite of the zero Message
		return Plaintext{}, nil, fail("the key is not allowed " + m.suite.String())
	}
	cek, unwrapFlaw := unwrap(key, m.suite, m.key)
	content, authentic := openGCM(m.dst(), cek, m.iv, m.sealed, m.aad)
	var flaw string
	switch {
	case m.flaw != "":
		flaw = m.flaw
	case unwrapFlaw != "":
		flaw = unwrapFlaw
	case !authentic:
		flaw = flawTag
	default:
		return Plaintext{sensitive.New(content)}, cek, nil
	}
	clear(content)
	return Plaintext{}, cek, &openError{flaw, m.suite}
}

const flawTag = "the content is not authentic: its tag does not match"
