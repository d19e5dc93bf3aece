// Package encdata is the wrapper around an encrypted body: a JSON object with
// the single member encData, whose value is a compact JWE.
package encdata

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// ErrForm reports a body that has an encData member and is not exactly the
// wrapper: that one member, that name, one string, nothing before or after.
var ErrForm = errors.New("the encData wrapper is not exactly one member with one string")

const member = "encData"

const before, behind = `{"` + member + `":"`, `"}`

// Around is how many bytes a wrapper has beside the JWE.
const Around = len(before) + len(behind)

// Wrap appends to dst a wrapper around what seal appends. seal gets the buffer so far
// and returns it longer; its error is passed on.
func Wrap(dst []byte, seal func(dst []byte) ([]byte, error)) ([]byte, error) {
	out, err := seal(append(dst, before...))
	if err != nil {
		return nil, err
	}
	return append(out, behind...), nil
}

// Token returns the JWE in a wrapper: JSON white space may stand between the
// tokens, and nothing else is left to choice. The string may hold only what a
// compact JWE is made of, so an escape is refused. The result shares body's
// memory. Its error is ErrForm.
func Token(body []byte) ([]byte, error) {
	token, err := Unchecked(body)
	if err != nil || !IsCompact(token) {
		return nil, ErrForm
	}
	return token, nil
}

// Unchecked is Token for who reads every character of the token anyway. If he finds
// a flaw he must ask IsCompact: without it the body was no wrapper.
func Unchecked(body []byte) ([]byte, error) {
	s := scanner{rest: body}
	if !s.expect('{') || !s.literal(`"`+member+`"`) || !s.expect(':') || !s.expect('"') {
		return nil, ErrForm
	}
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		return nil, ErrForm
	}
	token := s.rest[:end]
	s.rest = s.rest[end+1:]
	if !s.expect('}') {
		return nil, ErrForm
	}
	if s.space(); len(s.rest) > 0 {
		return nil, ErrForm
	}
	return token, nil
}

// Is tells whether a body is an encrypted one: a JSON object with a member called
// encData in any letter case, however the name is spelled. It reads no further
// than that name and does not check the rest: what looks like an encrypted body
// must then be a wrapper, and must never pass for a plain one.
func Is(body []byte) bool {
	s := scanner{rest: bytes.TrimPrefix(body, []byte("\ufeff"))}
	if !s.expect('{') {
		return false
	}
	for {
		name, ok := s.name()
		if !ok {
			return false
		}
		if strings.EqualFold(name, member) {
			return true
		}
		if !s.skipValue() {
			return false
		}
	}
}

// IsCompact tells whether a token holds nothing but what a compact JWE is made of:
// base64url and dots.
func IsCompact(token []byte) bool {
	for _, c := range token {
		if c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(token) > 0
}

// scanner walks the top level of a JSON object. It checks no more than it needs.
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

// name reads the next member's name, its escapes resolved.
func (s *scanner) name() (string, bool) {
	s.space()
	quoted, ok := s.quoted()
	if !ok {
		return "", false
	}
	if !bytes.ContainsRune(quoted, '\\') {
		return string(quoted[1 : len(quoted)-1]), true
	}
	var name string
	_ = json.Unmarshal(quoted, &name) // a name that is not JSON is not ours
	return name, true
}

// quoted cuts a string with its quotes off.
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

// skipValue goes behind the comma that follows a member's value. It is false at
// the object's end.
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
