package kona

import (
	"bytes"
	"encoding/json"
	"errors"
)

// ErrWrapper reports a body that has an encData member but is not a wrapper: an
// object with that one member, spelled that way, with a string as its value, and
// nothing before or after it.
var ErrWrapper = errors.New("the encData wrapper is not exactly one member with one string")

// WrapperMember is the single member of the JSON object around an encrypted body.
// Its value is a compact JWE.
const WrapperMember = "encData"

const wrapperStart, wrapperEnd = `{"` + WrapperMember + `":"`, `"}`

// WrapperBytes is the number of bytes of a wrapper without its JWE.
const WrapperBytes = len(wrapperStart) + len(wrapperEnd)

// Wrap appends a wrapper to dst. Its JWE is what seal appends to the buffer that it
// is given. An error of seal is returned as it is.
func Wrap(dst []byte, seal func(dst []byte) ([]byte, error)) ([]byte, error) {
	out, err := seal(append(dst, wrapperStart...))
	if err != nil {
		return nil, err
	}
	return append(out, wrapperEnd...), nil
}

// Unwrap returns the JWE in a wrapper. JSON white space is accepted between the
// tokens of the object. The string must hold only the characters of a compact JWE,
// so an escape is refused. The result shares body's memory. The error is
// [ErrWrapper].
func Unwrap(body []byte) ([]byte, error) {
	token, err := UnwrapUnchecked(body)
	if err != nil || !IsCompact(token) {
		return nil, ErrWrapper
	}
	return token, nil
}

// UnwrapUnchecked is [Unwrap] without the check of the string's characters, for a
// caller that parses the JWE anyway. If parsing fails, the caller must call
// [IsCompact]: if that is false, the body is not a wrapper.
func UnwrapUnchecked(body []byte) ([]byte, error) {
	s := scanner{rest: body}
	if !s.expect('{') || !s.literal(`"`+WrapperMember+`"`) || !s.expect(':') || !s.expect('"') {
		return nil, ErrWrapper
	}
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		return nil, ErrWrapper
	}
	token := s.rest[:end]
	s.rest = s.rest[end+1:]
	if !s.expect('}') {
		return nil, ErrWrapper
	}
	if s.space(); len(s.rest) > 0 {
		return nil, ErrWrapper
	}
	return token, nil
}

// IsEncrypted reports whether a body is an encrypted one: a JSON object with a
// member named encData in any letter case and with any escapes. It stops at that
// name. Such a body must be exactly a wrapper, see [Unwrap], and must never be
// treated as a plain one.
func IsEncrypted(body []byte) bool {
	s := scanner{rest: bytes.TrimPrefix(body, []byte("\ufeff"))}
	if !s.expect('{') {
		return false
	}
	for {
		name, ok := s.name()
		if !ok {
			return false
		}
		if bytes.EqualFold(name, []byte(WrapperMember)) {
			return true
		}
		if !s.skipValue() {
			return false
		}
	}
}

// IsCompact reports whether a token consists of the characters of a compact JWE:
// base64url and dots.
func IsCompact(token []byte) bool {
	for _, c := range token {
		if c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(token) > 0
}

// scanner reads the top level of a JSON object, without checking all of its syntax.
type scanner struct{ rest []byte }

// space skips the white space of RFC 8259 §2.
func (s *scanner) space() { s.rest = bytes.TrimLeft(s.rest, " \t\r\n") }

func (s *scanner) expect(c byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) literal(text string) bool {
	s.space()
	rest, ok := bytes.CutPrefix(s.rest, []byte(text))
	s.rest = rest
	return ok
}

// name reads the next member's name and resolves its escapes. Without any, the name
// shares the body's memory.
func (s *scanner) name() ([]byte, bool) {
	s.space()
	quoted, ok := s.quoted()
	if !ok {
		return nil, false
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], true
	}
	var name string
	_ = json.Unmarshal(quoted, &name) // an invalid name stays empty and matches nothing
	return []byte(name), true
}

// quoted reads a string and returns it with its quotes.
func (s *scanner) quoted() ([]byte, bool) {
	if len(s.rest) == 0 || s.rest[0] != '"' {
		return nil, false
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			out := s.rest[:i+1]
			s.rest = s.rest[i+1:]
			return out, true
		}
	}
	return nil, false
}

// skipValue skips a member's value and the comma after it. It returns false at the
// end of the object.
func (s *scanner) skipValue() bool {
	for depth := 0; len(s.rest) > 0; {
		c := s.rest[0]
		if c == '"' {
			if _, ok := s.quoted(); !ok {
				return false
			}
			continue
		}
		s.rest = s.rest[1:]
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return false
			}
		case ',':
			if depth == 0 {
				return true
			}
		}
	}
	return false
}
