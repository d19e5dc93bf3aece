package upstream

import (
	"bytes"
	"io"
)

// Body is a request's body that a Pool may send again as long as no server got
// a byte of it. net/http never considers it replayable, not even if it is empty or there
// is an Idempotency-Key.
type Body struct {
	content []byte
	reader  *bytes.Reader // made by the first Read: a Client writes content as it is
}

// NewBody returns a body of these bytes, which must not be changed afterwards.
func NewBody(content []byte) *Body { return &Body{content: content} }

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.reader == nil {
		b.reader = bytes.NewReader(b.content)
	}
	return b.reader.Read(p)
}

// WriteTo implements io.WriterTo.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b.content)
	return int64(n), err
}

// Close implements io.Closer.
func (b *Body) Close() error { return nil }
