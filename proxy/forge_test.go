package proxy_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
)

// The headers of the four good suites.
const (
	oaep256GCM256 = `{"enc":"A256GCM","alg":"RSA-OAEP-256"}`
	oaep256GCM128 = `{"enc":"A128GCM","alg":"RSA-OAEP-256"}`
	oaepGCM256    = `{"enc":"A256GCM","alg":"RSA-OAEP"}`
	oaepGCM128    = `{"enc":"A128GCM","alg":"RSA-OAEP"}`
)

// forged is a JWE made by hand: good, but for what is set otherwise.
type forged struct {
	header    string      // the JSON; empty: oaep256GCM256
	cek       []byte      // the content key; nil: one of the length that the header's enc has
	hash, mgf crypto.Hash // of OAEP; 0: the header's
	pkcs1     bool        // wraps the content key as RSA1_5 does
	ivLen     int         // 0: 12
	tagLen    int         // 0: 16
	plaintext string
	toClient  bool                    // seals to the client's key instead of the server's
	decoded   func(parts *[5][]byte)  // edits the parts before they are encoded
	encoded   func(parts *[5]string)  // and after
	whole     func(jwe string) string // and the whole
}

// token is the compact form.
func (f forged) token(w *world) string {
	f.defaults()
	parts := f.parts(w)
	if f.decoded != nil {
		f.decoded(&parts)
	}
	var text [5]string
	for i, p := range parts {
		text[i] = base64.RawURLEncoding.EncodeToString(p)
	}
	if f.encoded != nil {
		f.encoded(&text)
	}
	jwe := strings.Join(text[:], ".")
	if f.whole != nil {
		jwe = f.whole(jwe)
	}
	return jwe
}

func (f *forged) defaults() {
	if f.header == "" {
		f.header = oaep256GCM256
	}
	if f.cek == nil {
		f.cek = random(16)
		if strings.Contains(f.header, "A256GCM") {
			f.cek = random(32)
		}
	}
	if f.hash == 0 {
		f.hash = crypto.SHA1
		if strings.Contains(f.header, "RSA-OAEP-256") {
			f.hash = crypto.SHA256
		}
	}
	if f.mgf == 0 {
		f.mgf = f.hash
	}
	if f.ivLen == 0 {
		f.ivLen = 12
	}
	if f.tagLen == 0 {
		f.tagLen = 16
	}
}

// parts seals: header, wrapped content key, IV, ciphertext, tag.
func (f forged) parts(w *world) [5][]byte {
	key := w.Caller.Server.RSA()
	if f.toClient {
		key = w.Caller.Client.Public().RSA()
	}
	iv := random(f.ivLen)
	aad := base64.RawURLEncoding.EncodeToString([]byte(f.header))
	sealed := f.gcm().Seal(nil, iv, []byte(f.plaintext), []byte(aad))
	return [5][]byte{[]byte(f.header), f.wrap(key), iv, sealed[:len(f.plaintext)], sealed[len(f.plaintext):][:f.tagLen]}
}

func (f forged) wrap(key *rsa.PublicKey) []byte {
	if f.pkcs1 {
		//lint:ignore SA1019 it is what an attacker rewrites alg to
		return must(rsa.EncryptPKCS1v15(rand.Reader, key, f.cek))
	}
	return must(rsa.EncryptOAEPWithOptions(rand.Reader, key, f.cek, &rsa.OAEPOptions{Hash: f.hash, MGFHash: f.mgf}))
}

// gcm takes IVs of any length; a content key that AES does not have counts as zeros.
func (f forged) gcm() cipher.AEAD {
	key := f.cek
	if len(key) != 16 && len(key) != 24 && len(key) != 32 {
		key = make([]byte, 16)
	}
	return must(cipher.NewGCMWithNonceSize(must(aes.NewCipher(key)), f.ivLen))
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// flipped has one bit of the byte at i the other way; a negative i counts from
// the end.
func flipped(b []byte, i int) []byte {
	out := bytes.Clone(b)
	if i < 0 {
		i += len(out)
	}
	out[i] ^= 1
	return out
}
