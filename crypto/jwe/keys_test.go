package jwe_test

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
)

// rsaKey is the package's key of 2048 bits, made once.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(jwk.Generate(2048)) })

// otherKey is another one.
var otherKey = sync.OnceValue(func() *rsa.PrivateKey { return must(jwk.Generate(2048)) })

func private(d crypto.Decrypter) jwk.Private { return privateFor(d, alg.All()) }
func public(k *rsa.PrivateKey) jwk.Public    { return must(jwk.NewPublic(&k.PublicKey, alg.All())) }

func privateFor(d crypto.Decrypter, allowed alg.Set) jwk.Private {
	return must(jwk.NewPrivate(d, allowed))
}

// suites are all suites of the table.
func suites() []alg.Suite {
	var out []alg.Suite
	keys, encs := alg.All().Names()
	for _, k := range keys {
		for _, e := range encs {
			out = append(out, alg.Suite{Key: must(alg.ParseKey(k)), Enc: must(alg.ParseEnc(e))})
		}
	}
	return out
}

// counter is a decrypter that counts, and hides that it is an RSA key.
type counter struct {
	key *rsa.PrivateKey
	ops atomic.Int64
}

func (c *counter) Public() crypto.PublicKey { return c.key.Public() }
func (c *counter) Decrypt(random io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	c.ops.Add(1)
	return c.key.Decrypt(random, msg, opts)
}

// forgery is a message as an attacker may build it: honest where nothing is set.
type forgery struct {
	header  string           // default: RSA-OAEP-256, A256GCM
	oaep    *rsa.OAEPOptions // default: SHA-256 for both, no label
	cek     []byte           // what is wrapped; default: 32 fresh bytes
	content []byte
	key     []byte // what encrypts the content; default: cek
}

const honestHeader = `{"enc":"A256GCM","alg":"RSA-OAEP-256"}`

// parts builds the five encoded parts with nothing but the standard library.
func (f forgery) parts(to *rsa.PrivateKey) []string {
	if f.header == "" {
		f.header = honestHeader
	}
	if f.oaep == nil {
		f.oaep = &rsa.OAEPOptions{Hash: crypto.SHA256}
	}
	if f.cek == nil {
		f.cek = random(32)
	}
	if f.key == nil {
		f.key = f.cek
	}
	wrapped := must(rsa.EncryptOAEPWithOptions(rand.Reader, &to.PublicKey, f.cek, f.oaep))
	gcm := must(cipher.NewGCM(must(aes.NewCipher(f.key))))
	iv, header := random(12), b64([]byte(f.header))
	sealed := gcm.Seal(nil, iv, f.content, []byte(header))
	n := len(f.content)
	return []string{header, b64(wrapped), b64(iv), b64(sealed[:n]), b64(sealed[n:])}
}

func (f forgery) token(to *rsa.PrivateKey) string { return joined(f.parts(to)) }

func joined(parts []string) string { return strings.Join(parts, ".") }

// open parses and opens a token.
func open(key jwk.Private, token string) (jwe.Plaintext, error) {
	m, err := jwe.Parse([]byte(token))
	if err != nil {
		return jwe.Plaintext{}, err
	}
	return jwe.Open(key, m)
}

// refuse fails the test unless err is the one error, for a reason that says says.
func refuse(t *testing.T, name string, err error, says string) {
	t.Helper()
	if !errors.Is(err, jwe.ErrOpen) || err.Error() != jwe.ErrOpen.Error() {
		t.Errorf("%s: got error %v", name, err)
	} else if reason := jwe.Reason(err); !strings.Contains(reason, says) || reason == "" {
		t.Errorf("%s: the reason is %q, want %q in it", name, reason, says)
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unb64(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s)) }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
