package jwe_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kmproxy/crypto/jwe"
)

// privateJWK is a private key of RFC 7518 §6.3.2. The product reads none.
type privateJWK struct{ Kty, Alg, N, E, D, P, Q string }

func (k privateJWK) rsa(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	number := func(s string) *big.Int { return new(big.Int).SetBytes(unb64(s)) }
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())},
		D:         number(k.D), Primes: []*big.Int{number(k.P), number(k.Q)},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		t.Fatal(err)
	}
	return key
}

// example is a message of an RFC with its key.
type example struct {
	Source, Plaintext, CEK, Compact string
	JWK                             privateJWK
}

func readExample(t testing.TB, file string) (e example) {
	t.Helper()
	if err := json.Unmarshal(must(os.ReadFile(file)), &e); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return e
}

// TestRFCExamples opens RFC 7516 Appendix A.1 and RFC 7520 §5.2, whose keys have
// 2048 and 4096 bits.
func TestRFCExamples(t *testing.T) {
	files, err := filepath.Glob("testdata/rfc*.json")
	if err != nil || len(files) != 2 {
		t.Fatalf("found %q, %v", files, err)
	}
	for _, file := range files {
		e := readExample(t, file)
		key := private(e.JWK.rsa(t))
		m, err := jwe.Parse([]byte(e.Compact))
		if err != nil {
			t.Errorf("%s: %v: %s", e.Source, err, jwe.Reason(err))
			continue
		}
		if got := m.Suite().String(); got != "RSA-OAEP+A256GCM" {
			t.Errorf("%s: the suite is %s", e.Source, got)
		}
		cek, flaw := jwe.Unwrap(key, m.Suite(), unb64(strings.Split(e.Compact, ".")[1]))
		if flaw != "" || !bytes.Equal(cek, unb64(e.CEK)) {
			t.Errorf("%s: another content key (%s)", e.Source, flaw)
		}
		content, err := jwe.Open(key, m)
		if err != nil || string(content.Bytes()) != e.Plaintext {
			t.Errorf("%s: %v: %s", e.Source, err, jwe.Reason(err))
		}
	}
}
