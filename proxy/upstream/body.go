package upstream

import (
	"bytes"
	"io"
)

// Body is a request's body that a Pool may send again as long as nobody got a
// byte of it. net/http takes it for replayable in no case, not even when it is
// empty or an Idempotency-Key asks for it.
type Body struct {
	content []byte
	reader  *bytes.Reader
}

// NewBody is the body of those bytes, which nobody may change any more.
func NewBody(content []byte) *Body { return &Body{content, bytes.NewReader(content)} }

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) { return b.reader.Read(p) }

// Close implements io.Closer.
func (b *Body) Close() error { return nil }

// once is the body for one attempt.
func (b *Body) once() io.ReadCloser { return NewBody(b.content) }
