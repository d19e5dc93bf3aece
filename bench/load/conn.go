package load

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Conn is one kept HTTP/1.1 connection over TLS, which costs the caller as little as
// it can: requests are prepared bytes, and of an answer only status and body are read.
type Conn struct {
	conn *tls.Conn
	from *bufio.Reader
	body []byte
}

// Dial connects, and ends the handshake.
func Dial(address string, roots *x509.CertPool) (*Conn, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})
	if err != nil {
		return nil, err
	}
	return &Conn{conn: conn, from: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// Close ends the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// Do sends a request and reads its answer, which must have a Content-Length. The body
// is good until the next Do.
func (c *Conn) Do(request []byte) (status int, body []byte, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, err
	}
	first, err := c.line()
	if err != nil {
		return 0, nil, err
	}
	if len(first) < len("HTTP/1.1 200") {
		return 0, nil, fmt.Errorf("the answer begins with %q", first)
	}
	if status, err = strconv.Atoi(first[9:12]); err != nil {
		return 0, nil, fmt.Errorf("the answer begins with %q", first)
	}
	length, err := c.length()
	if err != nil {
		return 0, nil, err
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	body = c.body[:length]
	_, err = io.ReadFull(c.from, body)
	return status, body, err
}

// length reads the headers.
func (c *Conn) length() (length int, err error) {
	length = -1
	for {
		line, err := c.line()
		if err != nil {
			return 0, err
		}
		if line == "" && length < 0 {
			return 0, fmt.Errorf("the answer has no Content-Length")
		}
		if line == "" {
			return length, nil
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, err
			}
		}
	}
}

func (c *Conn) line() (string, error) {
	line, err := c.from.ReadSlice('\n')
	return strings.TrimRight(string(line), "\r\n"), err
}
