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
	if !key.Allows(m.suite) { // nor any key the zero suite of the zero Message
		return Plaintext{}, fail("the key is not allowed " + m.suite.String())
	}
	cek, unwrapFlaw := unwrap(key, m.suite, m.key)
	defer clear(cek)
	content, authentic := openGCM(m.dst(), cek, m.iv, m.sealed, m.aad)
	var flaw string
	switch {
	case m.flaw != "":
		flaw = m.flaw
	case unwrapFlaw != "":
		flaw = unwrapFlaw
	case !authentic:
		flaw = "the content is not authentic: its tag does not match"
	default:
		return Plaintext{sensitive.New(content)}, nil
	}
	clear(content)
	return Plaintext{}, &openError{flaw, m.suite}
}
