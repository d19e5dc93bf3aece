package jwk_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"math/big"
	"regexp"
	"sync"
	"testing"

	"github.com/c2sp/wycheproof"

	"kmproxy/crypto/jwk"
)

// rsaKey returns the package's key of 2048 bits, which is generated once.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(jwk.Generate(2048)) })

var ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
})

var edKey = sync.OnceValue(func() ed25519.PrivateKey {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	return must(k, err)
})

// lowExponentKey returns an RSA key of 2048 bits with the public exponent 3.
var lowExponentKey = sync.OnceValue(func() *rsa.PrivateKey {
	e, one := big.NewInt(3), big.NewInt(1)
	for {
		p, q := must(rand.Prime(rand.Reader, 1024)), must(rand.Prime(rand.Reader, 1024))
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		if n := new(big.Int).Mul(p, q); d != nil && n.BitLen() == 2048 {
			k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 3}, D: d, Primes: []*big.Int{p, q}}
			k.Precompute()
			return k
		}
	}
})

// wycheproofPEM returns a private key of a kind that would take long to generate.
func wycheproofPEM(t testing.TB, file, bits string) []byte {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?s)"keySize": ` + bits + `,.*?"privateKeyPem": "([^"]+)"`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("the vectors have no key of %s bits", bits)
	}
	return bytes.ReplaceAll(found[1], []byte(`\n`), []byte("\n"))
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkcs8(key any) []byte { return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))) }
func spki(key any) []byte  { return block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key))) }
func pkcs1(k *rsa.PrivateKey) []byte {
	return block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k))
}
func pkcs1Public(k *rsa.PublicKey) []byte {
	return block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(k))
}

// certificate returns a certificate that the key signed itself.
func certificate(public, private any) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	return block("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, public, private)))
}

func join(texts ...[]byte) []byte { return bytes.Join(texts, nil) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
