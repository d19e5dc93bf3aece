package envelope

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"

	"kmproxy/crypto/sensitive"
)

const keyFileHead = "kmproxy-master-key-1 "

// ErrKeyFile reports a text that is not a master key file.
var ErrKeyFile = errors.New("not a kmproxy master key file: wanted one line \"kmproxy-master-key-1 \" and 32 bytes in base64")

// NewKeyFile makes the content of a new master key file: one line of text.
func NewKeyFile() sensitive.Bytes {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program first
	defer clear(secret)
	out := []byte(keyFileHead)
	out = base64.StdEncoding.AppendEncode(out, secret)
	return sensitive.New(append(out, '\n'))
}

// FromKeyFile reads the content of a master key file. Its error is ErrKeyFile.
func FromKeyFile(content sensitive.Bytes) (Key, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(string(content.Expose())), keyFileHead)
	secret, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(secret) != 32 {
		return Key{}, ErrKeyFile
	}
	defer clear(secret)
	return newKey(secret)
}
