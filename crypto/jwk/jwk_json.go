package jwk

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
)

// document is a public JSON Web Key (RFC 7517 §4, RFC 7518 §6.3.1).
type document struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Kid string `json:"kid"`
	N   string `json:"n"`
	E   string `json:"e"`
}

// JWK returns the public half as a JSON Web Key for encryption with the key id kid. It
// has no "alg", because a record may allow several. For the zero value it returns
// [ErrKey].
func (p Public) JWK(kid string) ([]byte, error) {
	if p.key == nil {
		return nil, errNoKey
	}
	n, e := members(p.key)
	return json.Marshal(document{Kty: "RSA", Use: "enc", Kid: kid, N: n, E: e})
}

// Thumbprint returns the SHA-256 thumbprint of RFC 7638 §3 in base64url. It panics on
// the zero value.
func (p Public) Thumbprint() string {
	n, e := members(p.key)
	// §3.2: only the required members, in lexicographic order, without white space
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// members encodes n and e as Base64urlUInt: big endian, without leading zeros (RFC 7518
// §2).
func members(k *rsa.PublicKey) (n, e string) {
	enc := base64.RawURLEncoding
	return enc.EncodeToString(k.N.Bytes()), enc.EncodeToString(big.NewInt(int64(k.E)).Bytes())
}
