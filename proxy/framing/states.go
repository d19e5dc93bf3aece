package framing

import "math"

// state is where in a request the next byte belongs. The order of a body and of
// a chunk and what follows it matters to Watcher.skip.
type state uint8

const (
	requestStart state = iota
	requestLine
	requestLineEnd
	lineStart // of a header or trailer field
	name
	value
	valueEnd
	headEnd
	sizeStart // of a chunk
	size
	extension
	sizeEnd
	inChunk
	chunkEnd
	chunkLineEnd
	inBody
	bodyEnd
)

// next is the state after byte c; not ok if c is nothing that a plain request has there.
func (s state) next(w *Watcher, c byte) (state, bool) {
	switch s {
	case requestStart, bodyEnd, requestLine, requestLineEnd:
		return s.nextInLine(w, c)
	case lineStart, name, value, valueEnd, headEnd:
		return s.nextInHead(w, c)
	case sizeStart, size, extension, sizeEnd:
		return s.nextInSize(w, c)
	case chunkEnd:
		return chunkLineEnd, c == '\r'
	case chunkLineEnd:
		return sizeStart, c == '\n'
	}
	return s, false
}

func (s state) nextInLine(w *Watcher, c byte) (state, bool) {
	switch {
	case s == requestStart || s == bodyEnd:
		w.head = head{}
		return requestLine, isToken(c)
	case s == requestLineEnd:
		return lineStart, c == '\n' && w.head.isHTTP11()
	case c == '\r':
		return requestLineEnd, true
	}
	w.head.addVersion(c)
	return requestLine, isText(c) && c != '\t'
}

func (s state) nextInHead(w *Watcher, c byte) (state, bool) {
	switch {
	case s == headEnd:
		return w.afterHead(), c == '\n'
	case s == valueEnd:
		return lineStart, c == '\n' && w.head.endField()
	case s == lineStart && c == '\r':
		return headEnd, true
	case s == lineStart, s == name && c != ':':
		return name, isToken(c) && w.head.addName(c, s == lineStart)
	case s == name:
		return value, w.head.endName()
	case c == '\r':
		return valueEnd, true
	}
	return value, isText(c) && w.head.addValue(c)
}

// afterHead returns the state after the empty line that ends a header.
func (w *Watcher) afterHead() state {
	switch h := &w.head; {
	case h.inTrailer:
		return requestStart
	case h.chunked:
		return sizeStart
	case h.length > 0:
		w.left = h.length
		return inBody
	}
	return requestStart
}

func (s state) nextInSize(w *Watcher, c byte) (state, bool) {
	digit, isDigit := hex(c)
	switch {
	case s == sizeEnd:
		return w.afterSize(), c == '\n'
	case isDigit && s == sizeStart:
		w.left = digit
		return size, true
	case isDigit && s == size:
		ok := w.left <= math.MaxInt32 // far beyond what is let in
		w.left = w.left<<4 | digit
		return size, ok
	case s == sizeStart:
		return s, false
	case c == '\r':
		return sizeEnd, true
	}
	return extension, isText(c) && (s == extension || c == ';')
}

func (w *Watcher) afterSize() state {
	if w.left > 0 {
		return inChunk
	}
	w.head = head{inTrailer: true}
	return lineStart
}

func hex(c byte) (int64, bool) {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int64(c|0x20-'a') + 10, true
	}
	return 0, false
}
