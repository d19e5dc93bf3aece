package kona

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// Bounds of what is looked at.
const (
	mostNesting   = 32   // of containers around a string
	mostTexts     = 4    // of JSON texts, each in a string of the one before
	mostJWEHeader = 4096 // bytes of its first part
)

// IsMiswrapped reports whether a body that is not an encrypted one is a JWE anyway: a
// compact one, bare or as a JSON string, or one of the JSON serialization (RFC 7516
// §7.2). It may be in JSON objects of one member, in arrays that hold nothing but JWEs,
// and in strings that hold such JSON. A padded JWE, or one of the other base64 alphabet,
// counts as well. Any other body is read up to the first value that is none of these.
func IsMiswrapped(body []byte) bool { return miswrapped(body, mostTexts) }

func miswrapped(body []byte, texts int) bool {
	w := walker{scanner{rest: bytes.TrimPrefix(body, []byte("\ufeff"))}, texts}
	w.space()
	if len(w.rest) > 0 && bytes.IndexByte([]byte(`{["`), w.rest[0]) < 0 {
		return isJWE(bytes.TrimRight(w.rest, " \t\r\n"))
	}
	if !w.value(mostNesting) {
		return false
	}
	w.space()
	return len(w.rest) == 0
}

// walker reads JSON as long as it is a JWE that is wrapped in some way. Each of its
// methods reports whether what it read is one.
type walker struct {
	scanner
	texts int // that may be read, this one included
}

func (w *walker) value(nesting int) bool {
	w.space()
	switch {
	case nesting == 0 || len(w.rest) == 0:
		return false
	case w.rest[0] == '"':
		return w.text()
	case w.expect('['):
		return w.elements(nesting - 1)
	}
	return w.serialized() || w.expect('{') && w.member(nesting-1)
}

func (w *walker) elements(nesting int) bool {
	for w.value(nesting) {
		if w.expect(']') {
			return true
		}
		if !w.expect(',') {
			return false
		}
	}
	return false
}

// member reads the only member of an object.
func (w *walker) member(nesting int) bool {
	_, ok := w.name()
	return ok && w.expect(':') && w.value(nesting) && w.expect('}')
}

// text reads a string. It decides by the beginning whether to read the rest.
func (w *walker) text() bool {
	start := unspaced(w.rest[1:])
	if startsJSON(start) {
		return w.texts > 1 && w.inner()
	}
	if _, ok := jweHeader(start); !ok {
		return false
	}
	quoted, ok := w.quoted()
	return ok && isJWE(unspaced(quoted[1:len(quoted)-1]))
}

// inner reads a string that holds JSON.
func (w *walker) inner() bool {
	quoted, ok := w.quoted()
	var text string
	return ok && json.Unmarshal(quoted, &text) == nil && miswrapped([]byte(text), w.texts-1)
}

// startsJSON reports whether a string, as it is written in JSON, begins as an object,
// an array or a string.
func startsJSON(text []byte) bool {
	for _, start := range []string{"{", "[", `\"`, `\u0022`} {
		if bytes.HasPrefix(text, []byte(start)) {
			return true
		}
	}
	return false
}

// unspaced cuts the white space, as it is written in JSON, off both ends of what a
// string holds.
func unspaced(text []byte) []byte {
	for before := -1; before != len(text); {
		before = len(text)
		for _, space := range []string{" ", `\t`, `\r`, `\n`, "\ufeff"} {
			text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte(space)), []byte(space))
		}
	}
	return text
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

// jweHeader cuts off the first part of a JWE and reports whether it is its header.
func jweHeader(text []byte) (rest []byte, ok bool) {
	end := bytes.IndexByte(text[:min(len(text), mostJWEHeader)], '.')
	if end <= 0 {
		return nil, false
	}
	return text[end+1:], isJWEHeader(text[:end])
}

// isJWEHeader reports whether base64, as it is written in JSON, is an object that names
// a content encryption.
func isJWEHeader(text []byte) bool {
	var clean [mostJWEHeader]byte
	header := clean[:0]
	for _, c := range text[:min(len(text), mostJWEHeader)] {
		switch {
		case c == '+':
			header = append(header, '-')
		case c == '/':
			header = append(header, '_')
		case c == '=' || c == '\\' || c == '\r' || c == '\n':
		case isBase64(c):
			header = append(header, c)
		default:
			return false
		}
	}
	decoded := make([]byte, base64.RawURLEncoding.DecodedLen(len(header)))
	n, _ := base64.RawURLEncoding.Decode(decoded, header) // what cannot be decoded is behind what is looked for
	decoded = bytes.TrimLeft(decoded[:n], " \t\r\n")
	return bytes.HasPrefix(decoded, []byte("{")) && bytes.Contains(decoded, []byte(`"enc"`))
}

// isBase64 takes the characters of both alphabets, padding, and the line ends and
// backslashes that JSON writers and old encoders put between them.
func isBase64(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || bytes.IndexByte([]byte("-_+/=\\\r\n"), c) >= 0
}
