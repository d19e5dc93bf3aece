// Package sensitive keeps secret bytes out of all printed output.
package sensitive

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is printed in place of a secret, whatever the verb or encoder.
const Redacted = "[redacted]"

// Bytes holds a secret. It is a handle: copies share the same bytes, and [Bytes.Wipe]
// clears them for all copies. The zero value is empty. It is safe for concurrent use,
// except for concurrent calls of Wipe.
type Bytes struct{ p **[]byte } // fmt follows one pointer, even where it cannot call methods, but never two

// New makes b a secret. It takes ownership: the caller must not use b again.
func New(b []byte) Bytes {
	p := &b
	return Bytes{p: &p}
}

// Expose returns the secret itself, for the primitive that needs it. The caller must
// not keep, change or print the result.
func (s Bytes) Expose() []byte {
	if s.p == nil {
		return nil
	}
	return **s.p
}

// Len returns the length of the secret in bytes.
func (s Bytes) Len() int { return len(s.Expose()) }

// Equal compares in constant time. The time it takes reveals only the lengths.
func (s Bytes) Equal(other []byte) bool {
	return subtle.ConstantTimeCompare(s.Expose(), other) == 1
}

// Wipe overwrites the secret and empties every copy of the handle.
func (s Bytes) Wipe() {
	if s.p != nil {
		clear(**s.p)
		**s.p = nil
	}
}

// String implements fmt.Stringer.
func (s Bytes) String() string { return Redacted }

// GoString implements fmt.GoStringer.
func (s Bytes) GoString() string { return Redacted }

// Format implements fmt.Formatter, so that %x and %q show nothing either.
func (s Bytes) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses too.
func (s Bytes) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue implements slog.LogValuer.
func (s Bytes) LogValue() slog.Value { return slog.StringValue(Redacted) }
