package alg_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
)

// TestKeyTable compares the table with RFC 7518 §4.3.
func TestKeyTable(t *testing.T) {
	for name, want := range map[string]struct {
		key  alg.Key
		hash crypto.Hash
	}{
		"RSA-OAEP":     {alg.RSAOAEP, crypto.SHA1},
		"RSA-OAEP-256": {alg.RSAOAEP256, crypto.SHA256},
	} {
		k, err := alg.ParseKey(name)
		if err != nil || k != want.key || k.Hash() != want.hash || k.String() != name || !k.Valid() {
			t.Errorf("%s: got %v with %v, %v", name, k, k.Hash(), err)
		}
	}
}

// TestEncTable compares the table with RFC 7518 §5.3.
func TestEncTable(t *testing.T) {
	for name, want := range map[string]struct {
		enc  alg.Enc
		size int
	}{
		"A128GCM": {alg.A128GCM, 16},
		"A256GCM": {alg.A256GCM, 32},
	} {
		e, err := alg.ParseEnc(name)
		if err != nil || e != want.enc || e.KeyBytes() != want.size || e.String() != name || !e.Valid() {
			t.Errorf("%s: got %v of %d bytes, %v", name, e, e.KeyBytes(), err)
		}
	}
}

// TestRefusedNames tries every other name of the IANA registry for JWE, and spellings
// that are almost right (RFC 7516 §4.1.1: names are compared byte for byte).
func TestRefusedNames(t *testing.T) {
	keys := []string{
		"RSA1_5", "RSA-OAEP-384", "RSA-OAEP-512", "A128KW", "A192KW", "A256KW", "dir", "ECDH-ES", "ECDH-ES+A128KW",
		"ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "PBES2-HS256+A128KW",
		"PBES2-HS384+A192KW", "PBES2-HS512+A256KW", "none", "HS256", "RS256",
		"", "rsa-oaep", "RSA-OAEP ", " RSA-OAEP", "RSA-OAEP\x00", "RSA_OAEP", "RSA-OAEP-2567", "RSA-OAEP-25", "A256GCM",
	}
	encs := []string{
		"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A192GCM",
		"", "a256gcm", "A256GCM ", " A256GCM", "A256GCM\x00", "A256GCMKW", "RSA-OAEP",
	}
	for _, name := range keys {
		if k, err := alg.ParseKey(name); !errors.Is(err, alg.ErrUnsupported) || k.Valid() {
			t.Errorf("alg %q: got %v, %v", name, k, err)
		}
	}
	for _, name := range encs {
		if e, err := alg.ParseEnc(name); !errors.Is(err, alg.ErrUnsupported) || e.Valid() {
			t.Errorf("enc %q: got %v, %v", name, e, err)
		}
	}
}

func TestRefusalsAreShortAndQuoted(t *testing.T) {
	_, err := alg.ParseKey(strings.Repeat("\n", 1<<20))
	if len(err.Error()) > 200 || strings.Contains(err.Error(), "\n") {
		t.Errorf("an untrusted name is logged unchanged: %.300q", err)
	}
}

func TestInvalidValues(t *testing.T) {
	for _, k := range []alg.Key{0, 3, 255} {
		if k.Valid() || !strings.Contains(k.String(), "invalid") {
			t.Errorf("alg %d: valid, or printed as %s", uint8(k), k)
		}
	}
	for _, e := range []alg.Enc{0, 3, 255} {
		if e.Valid() || !strings.Contains(e.String(), "invalid") {
			t.Errorf("enc %d: valid, or printed as %s", uint8(e), e)
		}
	}
	for _, s := range []alg.Suite{{}, {Key: alg.RSAOAEP}, {Enc: alg.A128GCM}, {Key: 9, Enc: alg.A128GCM}} {
		if s.Valid() {
			t.Errorf("%v is valid", s)
		}
	}
}
