package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// link is one connection, with its buffers. One request at a time uses it.
type link struct {
	conn  net.Conn
	from  *bounded
	read  *bufio.Reader
	write *bufio.Writer
	used  bool
	since time.Time   // at rest
	stop  func() bool // watching the request's context
}

func newLink(conn net.Conn) *link {
	from := &bounded{conn: conn}
	return &link{conn: conn, from: from, read: bufio.NewReader(from), write: bufio.NewWriter(conn)}
}

// bounded is what may be read of a header: a bound that does not hold for bodies,
// which their reader bounds.
type bounded struct {
	conn net.Conn
	left int64 // negative: no bound
	err  error // the connection's, if it has failed
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errAnswerHeader
	}
	if b.left > 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.conn.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
	}
	b.err = err
	return n, err
}

// exchange writes the request and reads the answer's header. When the request's
// context ends, so does every wait, until the answer's body is closed.
func (l *link) exchange(r *http.Request, mostHeader int64) (*http.Response, error) {
	deadline, _ := r.Context().Deadline() // none: the zero time, which is none here too
	if err := l.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	l.stop = context.AfterFunc(r.Context(), func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) }) // whoever waits is woken
	before := l.written()
	if err := l.put(r); err != nil && l.written() == before {
		return nil, err
	} else if err != nil {
		return l.early(r, mostHeader, err)
	}
	return l.answer(r, mostHeader)
}

// early is what a server answered that hung up before it had read the whole request
// (RFC 9112 §9.5), or else why that could not be written.
func (l *link) early(r *http.Request, mostHeader int64, unwritten error) (*http.Response, error) {
	answer, err := l.answer(r, mostHeader)
	if err != nil {
		return nil, unwritten
	}
	answer.Close = true
	return answer, nil
}

func (l *link) written() int64 {
	if c, ok := counted(l.conn); ok {
		return c.count()
	}
	return 0
}

func (l *link) answer(r *http.Request, mostHeader int64) (*http.Response, error) {
	l.from.left, l.from.err = mostHeader, nil
	answer, err := l.header(r)
	l.from.left = -1
	if err != nil && l.from.err != nil {
		return nil, l.from.err // which may have been taken for the end of a line
	}
	return answer, err
}

// header reads past the interim answers, which say nothing to a proxy (RFC 9110
// §15.2), to the final one.
func (l *link) header(r *http.Request) (*http.Response, error) {
	const mostInterim = 5
	for range mostInterim {
		answer, err := http.ReadResponse(l.read, r)
		if err != nil || answer.StatusCode >= 200 || answer.StatusCode == http.StatusSwitchingProtocols {
			return answer, err
		}
	}
	return nil, errAnswerHeader
}

// close ends the connection, whatever is on it.
func (l *link) close() {
	if l.stop != nil {
		l.stop()
	}
	_ = l.conn.Close() // nothing more is wanted of it
}

// quiet tells whether a connection at rest was neither closed nor written to by
// the other side: what comes without a question is no answer to the next.
func (l *link) quiet() bool {
	raw, ok := rawConn(l.conn)
	if !ok || l.read.Buffered() > 0 {
		return false
	}
	silent := false
	err := raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		silent = err == unix.EAGAIN || err == unix.EWOULDBLOCK
		return true // do not wait
	})
	return err == nil && silent && !l.holdsRecord()
}

// holdsRecord tells whether TLS has read more than it was asked for: what came with
// the last answer in one piece is no longer at the socket, and not in our buffer yet.
func (l *link) holdsRecord() bool {
	if _, secure := l.conn.(*tls.Conn); !secure {
		return false
	}
	if err := l.conn.SetReadDeadline(time.Unix(1, 0)); err != nil { // it must not read on; exchange sets another
		return true
	}
	_, err := l.read.Peek(1)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

func rawConn(c net.Conn) (syscall.RawConn, bool) {
	if counting, ok := counted(c); ok {
		c = counting.Conn
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil, false
	}
	raw, err := s.SyscallConn()
	return raw, err == nil
}

// answerBody gives the connection back when it was read to its end, and closes it
// when it was not.
type answerBody struct {
	io.ReadCloser
	link   *link
	done   func(again bool)
	keep   bool // the connection goes on behind this answer
	empty  bool // there is nothing to read
	ended  bool
	closed bool
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

func (b *answerBody) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	undisturbed := b.link.stop() // the context did not end meanwhile
	b.done(b.keep && undisturbed && (b.ended || b.empty) && b.link.read.Buffered() == 0)
	return nil
}
