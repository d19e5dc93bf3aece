package upstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
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
	read  *bufio.Reader
	write *bufio.Writer
	lines []byte // memory for the head of an answer
	used  bool
	born  time.Time   // when it was dialled
	since time.Time   // idle
	stop  func() bool // watching the request's context
}

func newLink(conn net.Conn, now time.Time) *link {
	return &link{conn: conn, read: bufio.NewReader(conn), write: bufio.NewWriter(conn), born: now}
}

// exchange writes the request and reads the answer's header. When the request's
// context ends, so does every wait, until the answer's body is closed.
func (l *link) exchange(r *http.Request, mostHeader int64) (*http.Response, error) {
	deadline, _ := r.Context().Deadline() // none: the zero time, which is none here too
	if err := l.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	l.stop = context.AfterFunc(r.Context(), func() { _ = l.conn.SetDeadline(time.Unix(1, 0)) }) // ends pending reads and writes
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

// answer reads past the interim answers, which say nothing to a proxy (RFC 9110
// §15.2), to the final one. Together they may have so many bytes of headers.
func (l *link) answer(r *http.Request, mostHeader int64) (*http.Response, error) {
	const mostInterim = 5
	for range mostInterim {
		var h head
		var err error
		if h, mostHeader, l.lines, err = readHead(l.read, mostHeader, l.lines); err != nil {
			return nil, err
		}
		switch {
		case h.status == http.StatusSwitchingProtocols:
			return nil, faultSwitch
		case h.status >= 200:
			return l.response(r, h), nil
		}
	}
	return nil, faultInterim
}

// close ends the connection, whatever is on it.
func (l *link) close() {
	if l.stop != nil {
		l.stop()
	}
	_ = l.conn.Close() // nothing more is wanted of it
}

// quiet reports whether the server has neither closed an idle connection nor sent bytes
// on it: unrequested bytes are not the answer to the next request.
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

// holdsRecord reports whether TLS has read more than was requested of it: bytes that
// came together with the last answer are neither at the socket nor in our buffer.
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
