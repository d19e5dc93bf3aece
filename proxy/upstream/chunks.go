package upstream

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// Bounds of what a body in chunks says beside its content.
const (
	mostChunkLine  = 1 << 10  // bytes of one chunk's size and extensions
	mostExtensions = 16 << 10 // bytes of all extensions
	mostTrailers   = 8 << 10  // bytes; they are read and dropped
	mostHexDigits  = 15       // of a size
)

// chunks reads a body in chunks (RFC 9112 §7.1) to the end of its trailers. What
// breaks off is io.ErrUnexpectedEOF, what is no such body a Fault.
type chunks struct {
	from       *bufio.Reader
	left       int64 // of the chunk
	extensions int
	begun      bool
	err        error
}

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (n int, err error) {
	if c.left == 0 && c.err == nil {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err = c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.err = unexpected(err)
	return n, c.err
}

// next skips to the next chunk's content, or past the trailers to io.EOF.
func (c *chunks) next() error {
	if c.begun {
		if err := c.lineEnd(); err != nil {
			return err
		}
	}
	c.begun = true
	line, err := c.line(mostChunkLine, faultChunkExt)
	if err != nil {
		return err
	}
	if c.left, err = c.size(line); err != nil {
		return err
	}
	if c.left > 0 {
		return nil
	}
	return c.trailers()
}

// lineEnd reads what follows a chunk's content.
func (c *chunks) lineEnd() error {
	for _, want := range []byte("\r\n") {
		b, err := c.from.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		if b != want {
			return faultChunkEnd
		}
	}
	return nil
}

// line reads a line without its end.
func (c *chunks) line(most int, tooLong Fault) (string, error) {
	line, err := appendLine(nil, c.from, int64(most))
	if errors.Is(err, faultLarge) {
		return "", tooLong
	}
	if errors.Is(err, faultLineEnd) {
		return "", faultChunkSize
	}
	if err != nil {
		return "", unexpected(err)
	}
	return string(line[:len(line)-len("\r\n")]), nil
}

// size reads chunk-size [ chunk-ext ] (RFC 9112 §7.1). What extensions say is ignored.
func (c *chunks) size(line string) (n int64, err error) {
	digits := len(line) - len(strings.TrimLeft(line, "0123456789abcdefABCDEF"))
	if digits == 0 || digits > mostHexDigits {
		return 0, faultChunkSize
	}
	for _, d := range []byte(line[:digits]) {
		n = n<<4 | int64(unhex(d))
	}
	extension := line[digits:]
	if extension != "" && !strings.HasPrefix(strings.TrimLeft(extension, " \t"), ";") {
		return 0, faultChunkSize
	}
	if c.extensions += len(extension); c.extensions > mostExtensions || hasControl(extension) {
		return 0, faultChunkExt
	}
	return n, nil
}

// trailers reads header lines to the empty one and drops them.
func (c *chunks) trailers() error {
	for most := mostTrailers; ; {
		line, err := c.line(most, faultTrailers)
		if err != nil {
			return err
		}
		if line == "" {
			return io.EOF
		}
		if _, _, err := parseField(line); err != nil {
			return err
		}
		most -= len(line) + len("\r\n")
	}
}

func unhex(d byte) byte {
	if d <= '9' {
		return d - '0'
	}
	return d | 0x20 - 'a' + 10
}

// unexpected makes an end that comes too early an error that says so.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
