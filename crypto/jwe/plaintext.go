package jwe

import (
	"fmt"
	"log/slog"

	"kmproxy/crypto/sensitive"
)

// Plaintext is the content of a message that was opened. Only Open makes one;
// using the zero value is a bug and panics, so that nothing unopened is ever
// taken for a body. It is a handle: copies share the content. It prints as
// nothing. Safe for concurrent use.
type Plaintext struct{ content sensitive.Bytes }

// Bytes returns the content, which may be empty. It must not be changed. Bytes
// panics on a Plaintext that was never opened.
func (p Plaintext) Bytes() []byte {
	content := p.content.Expose()
	if content == nil { // Open's is never nil, not even when it is empty
		panic("jwe: Bytes of a Plaintext that was never opened")
	}
	return content
}

// String keeps the content out of everything that prints.
func (p Plaintext) String() string { return p.content.String() }

// GoString keeps the content out of %#v.
func (p Plaintext) GoString() string { return p.content.GoString() }

// Format keeps the content out of every other verb.
func (p Plaintext) Format(f fmt.State, verb rune) { p.content.Format(f, verb) }

// MarshalText keeps the content out of every encoder.
func (p Plaintext) MarshalText() ([]byte, error) { return p.content.MarshalText() }

// LogValue keeps the content out of every log.
func (p Plaintext) LogValue() slog.Value { return p.content.LogValue() }
