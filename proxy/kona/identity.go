package kona

import (
	"crypto/sha256"
	"encoding/binary"
)

// RequestID identifies a request among those of its project, for replay protection.
type RequestID [16]byte

// RequestID returns the identity of the request with this body, over which its token
// must have been verified.
//
// The identity of a request with an encrypted body is the token's MAC, which is over
// the body alone: no two encryptions are equal, so that it does not matter where or
// when the body was sent. Plain bodies may repeat in good faith; there the token's
// time and the correlation id are part of the identity.
func (h Headers) RequestID(body []byte) RequestID {
	mac := h.Token.MAC()
	if IsEncrypted(body) {
		return RequestID(mac[:len(RequestID{})])
	}
	text := binary.BigEndian.AppendUint64(mac[:], uint64(h.TokenAt.UnixMilli()))
	sum := sha256.Sum256(append(text, h.CorrelationID...))
	return RequestID(sum[:len(RequestID{})])
}
