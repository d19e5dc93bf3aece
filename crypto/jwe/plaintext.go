package jwe

import (
	"fmt"
	"log/slog"

	"kmproxy/crypto/sensitive"
)

// Plaintext is the content of a message that was opened. Only Open makes one;
// using the zero value is a bug and panics, so that nothing unopened is ever
// taken for a body. It is a handle: copies share the content. It prints as
// nothing. Safe for concurrent use as long as nobody wipes it meanwhile.
type Plaintext struct{ content *[]byte }

// Bytes returns the content, which may be empty. It must not be changed. Bytes
// panics on a Plaintext that was never opened or is wiped.
func (p Plaintext) Bytes() []byte {
	if p.content == nil || *p.content == nil {
		panic("jwe: Bytes of a Plaintext that was never opened or is wiped")
	}
	return *p.content
}

// Wipe overwrites the content when it is no longer needed, for all copies of the
// handle.
func (p Plaintext) Wipe() {
	if p.content != nil {
		clear(*p.content)
		*p.content = nil
	}
}

// String keeps the content out of everything that prints.
func (p Plaintext) String() string { return sensitive.Redacted }

// GoString keeps the content out of %#v.
func (p Plaintext) GoString() string { return sensitive.Redacted }

// Format keeps the content out of every other verb.
func (p Plaintext) Format(f fmt.State, verb rune) { sensitive.Bytes{}.Format(f, verb) }

// MarshalText keeps the content out of every encoder.
func (p Plaintext) MarshalText() ([]byte, error) { return []byte(sensitive.Redacted), nil }

// LogValue keeps the content out of every log.
func (p Plaintext) LogValue() slog.Value { return slog.StringValue(sensitive.Redacted) }
