package jwe

import (
	"errors"

	"kmproxy/crypto/jwk"
)

// ErrOpen is the one error for every message that cannot be opened. Whoever sent
// the message must not learn more (RFC 7516 §11.5).
var ErrOpen = errors.New("the message cannot be opened")

// openError is an ErrOpen with the reason for the operator's log.
type openError struct{ reason string }

func fail(reason string) error { return &openError{reason} }

func (e *openError) Error() string        { return ErrOpen.Error() }
func (e *openError) Is(target error) bool { return target == ErrOpen }

// Reason tells, for the operator's own log and nobody else, why a message could
// not be opened. It never quotes the message's content. It is empty for other
// errors.
func Reason(err error) string {
	if e, ok := errors.AsType[*openError](err); ok {
		return e.reason
	}
	return ""
}

// Plaintext is the content of a message that was opened. Only Open makes one;
// using the zero value is a bug and panics, so that nothing unopened is ever
// taken for a body.
type Plaintext struct {
	content []byte
	opened  bool
}

// Bytes returns the content, which may be empty. It must not be changed.
func (p Plaintext) Bytes() []byte {
	if !p.opened {
		panic("jwe: Bytes of a Plaintext that was never opened")
	}
	return p.content
}

// Wipe overwrites the content when it is no longer needed.
func (p Plaintext) Wipe() { clear(p.content) }

// String keeps the content out of everything that prints.
func (p Plaintext) String() string { return "[plaintext]" }

// GoString keeps the content out of %#v.
func (p Plaintext) GoString() string { return "[plaintext]" }

// Open decrypts a message (RFC 7516 §5.2 steps 6 to 19). Which algorithms the key
// may be used with is the key's matter, not the message's. Every error is
// ErrOpen. From the first use of the key on, all failures do the same work: an
// unwrapping that failed goes on with a random content key (§11.5).
//
// Open uses up m: the content is decrypted in m's own memory. It is safe for
// concurrent use with different messages.
func Open(key jwk.Private, m Message) (Plaintext, error) {
	if !m.suite.Valid() || !key.Allows(m.suite) {
		return Plaintext{}, fail("the key is not allowed " + m.suite.String())
	}
	flaw := m.flaw
	cek, unwrapFlaw := unwrap(key, m.suite, m.key)
	defer clear(cek)
	content, authentic := openGCM(cek, m.iv, m.sealed, m.aad)
	switch {
	case flaw != "":
	case unwrapFlaw != "":
		flaw = unwrapFlaw
	case !authentic:
		flaw = "the content is not authentic: its tag does not match"
	default:
		return Plaintext{content: content, opened: true}, nil
	}
	clear(m.sealed)
	return Plaintext{}, fail(flaw)
}
