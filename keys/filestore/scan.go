package filestore

import (
	"bytes"
	"strconv"
)

// scanner takes a line apart in the one form that this package writes. After the
// first thing that is not there it has failed and takes nothing more.
type scanner struct {
	rest   []byte
	failed bool
}

func (s *scanner) fail() []byte {
	s.rest, s.failed = nil, true
	return nil
}

func (s *scanner) take(n int) []byte {
	taken := s.rest[:n:n] // capped: an append to it must not reach the next value
	s.rest = s.rest[n:]
	return taken
}

// done tells whether everything was there and nothing is left.
func (s *scanner) done() bool { return !s.failed && len(s.rest) == 0 }

// ahead takes the text if it comes next.
func (s *scanner) ahead(text string) bool {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

func (s *scanner) literal(text string) {
	if !s.ahead(text) {
		s.fail()
	}
}

func (s *scanner) number() uint64 {
	digits := 0
	for digits < len(s.rest) && '0' <= s.rest[digits] && s.rest[digits] <= '9' {
		digits++
	}
	text := string(s.take(digits))
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || len(text) > 1 && text[0] == '0' {
		s.fail()
	}
	return n
}

// text takes a quoted string, in which nothing is ever escaped here.
func (s *scanner) text() string {
	s.literal(`"`)
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		s.fail()
		return ""
	}
	text := string(s.take(end))
	s.literal(`"`)
	return text
}

// value takes one JSON value without judging it. The sum has shown that it is
// what was committed, so its end is all that has to be found: the comma or
// bracket outside of it.
func (s *scanner) value() []byte {
	for i, depth := 0, 0; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '"':
			n := stringLen(s.rest[i:])
			if n == 0 {
				return s.fail()
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']', ',':
			switch {
			case depth == 0 && i > 0:
				return s.take(i)
			case depth == 0:
				return s.fail()
			case s.rest[i] != ',':
				depth--
			}
		}
	}
	return s.fail()
}

// stringLen is the length of the string that b begins with, 0 if it has no end.
func stringLen(b []byte) int {
	for i := 1; ; i++ {
		quote := bytes.IndexByte(b[i:], '"')
		if quote < 0 {
			return 0
		}
		i += quote
		escapes := 0
		for b[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}
