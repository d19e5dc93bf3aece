package filestore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// A sealed line is its content, a JSON object without the closing brace, followed
// by sumOpen, the sum in hex, and sumClose.
const (
	sumOpen  = `,"sum":"`
	sumClose = "\"}\n"
	sumChars = 2 * sha256.Size
	sealLen  = len(sumOpen) + sumChars + len(sumClose)
)

// seal ends a line whose content was written from start on and returns its sum.
func seal(b []byte, start int, prev string) (sealed []byte, sum string) {
	s := sumOf([]byte(prev), b[start:])
	b = append(b, sumOpen...)
	b = append(b, s[:]...)
	return append(b, sumClose...), string(s[:])
}

// unseal takes a sealed line apart and says what is wrong with it, if anything.
// The parts come back as far as they can be told apart.
func unseal(prev, line []byte) (content, sum []byte, wrong string) {
	content, sum, sealed := takeApart(line)
	switch {
	case !bytes.HasSuffix(line, []byte("\n")):
		return nil, nil, "it is cut off"
	case !sealed:
		return nil, nil, "it does not end in a sum"
	}
	if want := sumOf(prev, content); !bytes.Equal(want[:], sum) {
		return content, sum, "its sum does not fit its content and the line before it"
	}
	return content, sum, ""
}

func takeApart(line []byte) (content, sum []byte, sealed bool) {
	if len(line) < sealLen {
		return nil, nil, false
	}
	content, end := line[:len(line)-sealLen], line[len(line)-sealLen:]
	sum = end[len(sumOpen) : len(end)-len(sumClose)]
	return content, sum, string(end[:len(sumOpen)]) == sumOpen && string(end[len(end)-len(sumClose):]) == sumClose
}

// sumOf is SHA-256 over the sum of the line before, in hex, and the content.
func sumOf(prev, content []byte) [sumChars]byte {
	h := sha256.New()
	h.Write(prev)
	h.Write(content)
	var sum [sha256.Size]byte
	var text [sumChars]byte
	hex.Encode(text[:], h.Sum(sum[:0]))
	return text
}
