package vault

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"kmproxy/keys"
)

// secrets is what a record seals.
type secrets struct {
	SecretKeys  map[keys.AccessKey][]byte `json:"secret_keys"`
	PrivateKeys map[keys.KeyID][]byte     `json:"private_keys"`
}

// hidden is the JSON of what a record seals, in one piece of memory that the caller
// must clear. encoding/json would keep a copy in a buffer of its own.
func (s secrets) hidden() []byte {
	b := make([]byte, 0, roomFor(s.SecretKeys)+roomFor(s.PrivateKeys)+len(`{"secret_keys":{},"private_keys":{}}`))
	b = append(b, `{"secret_keys":`...)
	b = appendSecrets(b, s.SecretKeys)
	b = append(b, `,"private_keys":`...)
	b = appendSecrets(b, s.PrivateKeys)
	return append(b, '}')
}

func roomFor[ID ~string](of map[ID][]byte) (n int) {
	for id, secret := range of {
		n += len(quoted(id)) + base64.StdEncoding.EncodedLen(len(secret)) + len(`:null,`)
	}
	return n
}

// appendSecrets is encoding/json's form of a map, in the order of the ids.
func appendSecrets[ID ~string](b []byte, of map[ID][]byte) []byte {
	b = append(b, '{')
	for i, id := range slices.Sorted(maps.Keys(of)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, quoted(id)...), ':')
		if of[id] == nil {
			b = append(b, "null"...)
			continue
		}
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, of[id])
		b = append(b, '"')
	}
	return append(b, '}')
}

func quoted[ID ~string](id ID) []byte {
	text, err := json.Marshal(string(id))
	if err != nil {
		panic(fmt.Sprintf("keys: a text has no JSON: %v", err)) // every string has
	}
	return text
}
