package upstream

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// head is the status line and the headers of an answer, read by the grammar of RFC
// 9112 and nothing wider: what another reader could take for a different message is
// a Fault. Bare LF line ends, folded lines and blanks around a name are such. A
// status line may lack the blank before an empty reason, and equal Content-Length
// lines may be repeated: neither has a second meaning.
type head struct {
	minor   int // of HTTP/1
	status  int
	header  http.Header
	length  int64 // of Content-Length; -1: there is none
	chunked bool
}

// readHead reads to the empty line. Errors are a Fault, the reader's own, and
// io.ErrUnexpectedEOF for what breaks off; io.EOF if there was nothing. lines is
// memory that may be used, and is returned to be used again.
func readHead(from *bufio.Reader, most int64, lines []byte) (h head, left int64, memory []byte, err error) {
	lines = lines[:0]
	for {
		before := len(lines)
		if lines, err = appendLine(lines, from, most); err != nil {
			return head{}, 0, lines, err
		}
		if len(lines) == before+len("\r\n") {
			break
		}
	}
	h, err = parseHead(string(lines))
	return h, most - int64(len(lines)), lines, err
}

// appendLine appends a line and its end, to at most so many bytes in all.
func appendLine(lines []byte, from *bufio.Reader, most int64) ([]byte, error) {
	for {
		part, err := from.ReadSlice('\n')
		lines = append(lines, part...)
		switch {
		case int64(len(lines)) > most:
			return lines, faultLarge
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(lines) > 0:
			return lines, io.ErrUnexpectedEOF
		case err != nil:
			return lines, err
		case len(lines) < 2 || lines[len(lines)-2] != '\r':
			return lines, faultLineEnd
		}
		return lines, nil
	}
}

// parseHead takes lines that each end in CR LF, the last of them empty.
func parseHead(lines string) (head, error) {
	line, rest, _ := strings.Cut(lines, "\r\n")
	h := head{header: make(http.Header, strings.Count(rest, "\n")), length: -1}
	if err := h.statusLine(line); err != nil {
		return head{}, err
	}
	for {
		if line, rest, _ = strings.Cut(rest, "\r\n"); line == "" {
			break
		}
		name, value, err := parseField(line)
		if err != nil {
			return head{}, err
		}
		h.header[name] = append(h.header[name], value)
	}
	return h, h.frame()
}

// statusLine reads HTTP-version SP status-code [ SP reason-phrase ] (RFC 9112 §4).
func (h *head) statusLine(line string) error {
	version, rest, _ := strings.Cut(line, " ")
	switch version {
	case "HTTP/1.1":
		h.minor = 1
	case "HTTP/1.0":
	default:
		return faultVersion
	}
	code, reason, _ := strings.Cut(rest, " ")
	if len(code) != 3 || !isDigits(code) || code[0] == '0' {
		return faultStatus
	}
	if hasControl(reason) {
		return faultReason
	}
	h.status, _ = strconv.Atoi(code) // three digits
	return nil
}

// parseField reads field-name ":" OWS field-value OWS (RFC 9112 §5).
func parseField(line string) (name, value string, err error) {
	if line[0] == ' ' || line[0] == '\t' {
		return "", "", faultFold
	}
	name, value, found := strings.Cut(line, ":")
	switch {
	case !found:
		return "", "", faultColon
	case !httpguts.ValidHeaderFieldName(name):
		return "", "", faultName
	case hasControl(value):
		return "", "", faultValue
	}
	return http.CanonicalHeaderKey(name), strings.Trim(value, " \t"), nil
}

// frame works out where the body ends (RFC 9112 §6.1, §6.3).
func (h *head) frame() error {
	for _, value := range h.header["Content-Length"] {
		n, err := parseLength(value)
		if err != nil {
			return err
		}
		if h.length >= 0 && n != h.length {
			return faultLengths
		}
		h.length = n
	}
	codings, found := h.header["Transfer-Encoding"]
	switch {
	case !found:
		return nil
	case h.minor == 0:
		return faultOldCoding
	case len(codings) != 1 || !strings.EqualFold(codings[0], "chunked"):
		return faultCoding
	case h.length >= 0:
		return faultBothFrames
	}
	h.chunked = true
	return nil
}

// parseLength takes 1*DIGIT (RFC 9110 §8.6), as far as an int64 goes.
func parseLength(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || !isDigits(s) {
		return 0, faultLength
	}
	return n, nil
}

func isDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// hasControl reports a control character other than a tab.
func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// ends reports whether a Connection header says that the connection ends.
func (h *head) ends() bool {
	return h.minor == 0 || httpguts.HeaderValuesContainsToken(h.header["Connection"], "close")
}
