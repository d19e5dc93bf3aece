package kona

import (
	"bytes"
	"encoding/base64"
)

// Bounds of what is looked at.
const (
	mostNesting   = 32   // of containers around a string
	mostJWEHeader = 4096 // bytes of its first part
)

// IsMiswrapped reports whether a body that is no encrypted one is a compact JWE all
// the same: bare, as a JSON string, or in JSON arrays and objects that hold nothing
// else. A padded JWE, or one of the other base64 alphabet, counts as well. Any other
// body is looked at as far as its first value and no further.
func IsMiswrapped(body []byte) bool {
	s := scanner{rest: bytes.TrimPrefix(body, []byte("\ufeff"))}
	closers := make([]byte, 0, mostNesting)
	for range mostNesting {
		s.space()
		switch {
		case s.expect('['):
			closers = append(closers, ']')
		case s.expect('{'):
			if _, ok := s.name(); !ok || !s.expect(':') {
				return false
			}
			closers = append(closers, '}')
		case len(s.rest) > 0 && s.rest[0] == '"':
			return s.startsAsJWE() && s.isOnly(closers)
		default:
			return len(closers) == 0 && isJWE(bytes.TrimRight(s.rest, " \t\r\n"))
		}
	}
	return false
}

// startsAsJWE looks at the beginning of a string, before the rest of it is read.
func (s *scanner) startsAsJWE() bool {
	_, ok := jweHeader(s.rest[1:])
	return ok
}

// isOnly reports whether a JWE is all that is between the containers' ends.
func (s *scanner) isOnly(closers []byte) bool {
	quoted, ok := s.quoted()
	if !ok || !isJWE(quoted[1:len(quoted)-1]) {
		return false
	}
	for i := len(closers) - 1; i >= 0; i-- {
		if !s.expect(closers[i]) {
			return false
		}
	}
	s.space()
	return len(s.rest) == 0
}

// isJWE reports whether a text is five parts of base64, of which the first is the
// header of a JWE (RFC 7516 §7.1).
func isJWE(text []byte) bool {
	rest, ok := jweHeader(text)
	if !ok || bytes.Count(rest, []byte(".")) != 3 {
		return false
	}
	for _, c := range rest {
		if c != '.' && !isBase64(c) {
			return false
		}
	}
	return true
}

// jweHeader cuts off the first part of a JWE and reports whether it is a JSON object
// that names a content encryption.
func jweHeader(text []byte) (rest []byte, ok bool) {
	end := bytes.IndexByte(text[:min(len(text), mostJWEHeader)], '.')
	if end <= 0 {
		return nil, false
	}
	var clean [mostJWEHeader]byte
	header := clean[:0]
	for _, c := range text[:end] {
		switch {
		case c == '+':
			header = append(header, '-')
		case c == '/':
			header = append(header, '_')
		case c == '=' || c == '\\' || c == '\r' || c == '\n':
		case isBase64(c):
			header = append(header, c)
		default:
			return nil, false
		}
	}
	decoded := make([]byte, base64.RawURLEncoding.DecodedLen(len(header)))
	n, _ := base64.RawURLEncoding.Decode(decoded, header) // what cannot be decoded is behind what is looked for
	decoded = bytes.TrimLeft(decoded[:n], " \t\r\n")
	return text[end+1:], bytes.HasPrefix(decoded, []byte("{")) && bytes.Contains(decoded, []byte(`"enc"`))
}

// isBase64 takes the characters of both alphabets, padding, and the line ends and
// backslashes that JSON writers and old encoders put between them.
func isBase64(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || bytes.IndexByte([]byte("-_+/=\\\r\n"), c) >= 0
}
