package framing

import (
	"bytes"
	"strconv"
	"strings"
)

// head is what is remembered of a header section.
type head struct {
	inTrailer bool
	version   [9]byte // the last bytes of the request line
	field     [17]byte
	nameLen   int
	value     [24]byte
	valueLen  int
	kind      fieldKind // of the field whose value is read
	chunked   bool
	length    int64
	hasLength bool
}

type fieldKind uint8

const (
	otherField fieldKind = iota
	contentLength
	transferEncoding
)

func (h *head) addVersion(c byte) {
	copy(h.version[:], h.version[1:])
	h.version[len(h.version)-1] = c
}

func (h *head) isHTTP11() bool { return string(h.version[:]) == " HTTP/1.1" }

// addName adds a byte to the field's name; one longer than any that matters is
// remembered by its length alone.
func (h *head) addName(c byte, first bool) bool {
	if first {
		h.nameLen, h.valueLen = 0, 0
	}
	if h.nameLen < len(h.field) {
		h.field[h.nameLen] = c
	}
	h.nameLen++
	return true
}

// endName determines which field it is. Neither of the two may be in a trailer.
func (h *head) endName() bool {
	h.kind = otherField
	if h.nameLen > len(h.field) {
		return true
	}
	switch known := h.field[:h.nameLen]; {
	case bytes.EqualFold(known, []byte("Content-Length")):
		h.kind = contentLength
	case bytes.EqualFold(known, []byte("Transfer-Encoding")):
		h.kind = transferEncoding
	}
	return h.kind == otherField || !h.inTrailer
}

// addValue adds a byte to the value of a field that matters.
func (h *head) addValue(c byte) bool {
	if h.kind == otherField {
		return true
	}
	if h.valueLen == len(h.value) {
		return false
	}
	h.value[h.valueLen] = c
	h.valueLen++
	return true
}

// endField takes in a field; not ok if the end of the request is in doubt by it.
func (h *head) endField() bool {
	if h.kind == otherField {
		return true
	}
	if h.chunked || h.hasLength {
		return false
	}
	text := strings.Trim(string(h.value[:h.valueLen]), " \t")
	if h.kind == transferEncoding {
		h.chunked = strings.EqualFold(text, "chunked")
		return h.chunked
	}
	n, err := strconv.ParseUint(text, 10, 63)
	h.length, h.hasLength = int64(n), true
	return err == nil
}

// isText: visible characters, blanks, tabs and what is beyond ASCII.
func isText(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

// isToken: RFC 9110 §5.6.2.
func isToken(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
