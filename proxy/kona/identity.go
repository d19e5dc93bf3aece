package kona

import (
	"crypto/sha256"
	"encoding/binary"
)

// RequestID returns what identifies a request with this body among the requests of its
// project, for replay protection. The token must have been verified over the body.
//
// The identity of a request with an encrypted body is the token's MAC. The MAC
// covers the body alone: no two encryptions are equal, so that it does not matter where or
// when the body was sent. Plain bodies may repeat in good faith; there the token's
// time and the correlation id are part of the identity.
func (h Headers) RequestID(body []byte) (id [16]byte) {
	mac := h.Token.MAC()
	if IsEncrypted(body) {
		copy(id[:], mac[:])
		return id
	}
	text := binary.BigEndian.AppendUint64(mac[:], uint64(h.TokenAt.UnixMilli()))
	sum := sha256.Sum256(append(text, h.CorrelationID...))
	copy(id[:], sum[:])
	return id
}
