package upstream

import (
	"bufio"
	"io"
	"net/http"
	"slices"
)

// bodiless are the statuses whose answers have no body (RFC 9110 §15.3.5, §15.3.6,
// §15.4.5), whatever their headers say.
var bodiless = []int{http.StatusNoContent, http.StatusResetContent, http.StatusNotModified}

// response is the answer that a head begins. Its body reads from the connection,
// and its Close says whether the connection ends with it.
func (l *link) response(r *http.Request, h head) *http.Response {
	a := &http.Response{Request: r, StatusCode: h.status, Proto: "HTTP/1." + string('0'+rune(h.minor)), ProtoMajor: 1, ProtoMinor: h.minor,
		Header: h.header, ContentLength: h.length, Close: h.ends() || r.Close}
	switch {
	case r.Method == http.MethodHead:
		a.Body = http.NoBody
	case slices.Contains(bodiless, h.status):
		a.Body, a.ContentLength = http.NoBody, 0
		a.Close = a.Close || !h.clean()
	case h.chunked:
		a.Body = io.NopCloser(&chunks{from: l.read})
	case h.length >= 0:
		a.Body = io.NopCloser(&exactly{l.read, h.length})
	default:
		a.Body, a.Close = io.NopCloser(l.read), true // it ends with the connection
	}
	return a
}

// clean reports whether nothing can follow a bodiless answer: its headers announce
// no body that a server might send anyway. Without a length, a 205 would last until the
// end of the connection for a client that does not know that it has no body.
func (h *head) clean() bool {
	return !h.chunked && (h.length == 0 || h.length < 0 && h.status != http.StatusResetContent)
}

// exactly reads a body of a known length. What breaks off is io.ErrUnexpectedEOF.
type exactly struct {
	from *bufio.Reader
	left int64
}

// Read implements io.Reader.
func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.from.Read(p[:min(int64(len(p)), e.left)])
	if e.left -= int64(n); e.left == 0 {
		return n, io.EOF
	}
	return n, unexpected(err)
}

// answerBody gives the connection back when it was read to its end, and closes it
// when it was not.
type answerBody struct {
	io.Reader
	link   *link
	done   func(again bool)
	keep   bool // the connection can be used after this answer
	ended  bool // there is nothing more to read
	closed bool
}

// Read implements io.Reader.
func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

// Close implements io.Closer.
func (b *answerBody) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	undisturbed := b.link.stop() // the context did not end meanwhile
	b.done(b.keep && undisturbed && b.ended && b.link.read.Buffered() == 0)
	return nil
}
