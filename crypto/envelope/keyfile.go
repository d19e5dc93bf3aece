package envelope

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"

	"kmproxy/crypto/sensitive"
)

const (
	keyFileHead = "kmproxy-master-key-1 "
	keyBytes    = 32
)

// ErrKeyFile reports a text that is not a master key file.
var ErrKeyFile = errors.New("not a kmproxy master key file: expected one line of \"kmproxy-master-key-1 \" and 32 bytes in base64")

// NewKeyFile returns the content of a new master key file: one line of text.
func NewKeyFile() sensitive.Bytes {
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	defer clear(secret)
	out := append(make([]byte, 0, 128), keyFileHead...) // enough for all of it, because growing would leave copies
	out = base64.StdEncoding.AppendEncode(out, secret)
	return sensitive.New(append(out, '\n'))
}

// FromKeyFile parses the content of a master key file. The line break may be missing,
// or be that of another system. Its error is [ErrKeyFile].
func FromKeyFile(content sensitive.Bytes) (Key, error) {
	line := bytes.TrimRight(content.Expose(), "\r\n")
	encoded, ok := bytes.CutPrefix(line, []byte(keyFileHead))
	if !ok || len(encoded) != base64.StdEncoding.EncodedLen(keyBytes) {
		return Key{}, ErrKeyFile
	}
	secret, err := base64.StdEncoding.Strict().AppendDecode(nil, encoded)
	defer clear(secret)
	if err != nil || len(secret) != keyBytes {
		return Key{}, ErrKeyFile
	}
	return newKey(secret)
}
