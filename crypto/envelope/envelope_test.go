package envelope_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// fileKey returns the master key made of 32 equal bytes.
func fileKey(t testing.TB, b byte) envelope.Key {
	t.Helper()
	text := "kmproxy-master-key-1 " + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
	key, err := envelope.FromKeyFile(sensitive.New([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// open calls Open, and checks that Proves agrees.
func open(t testing.TB, key envelope.Key, at envelope.Place, beside []byte, text string) (sensitive.Bytes, error) {
	t.Helper()
	got, err := key.Open(at, beside, text)
	if proven := key.Proves(at, beside, []byte(text)); proven != (err == nil) {
		t.Errorf("Open returns %v, but Proves returns %t", err, proven)
	}
	return got, err
}

var (
	place  = envelope.Place{Record: "project/A", Field: "secrets", Version: 7}
	beside = []byte("the plain part")
)

func TestSealOpen(t *testing.T) {
	key := fileKey(t, 1)
	for _, secret := range []string{"", "x", "-----BEGIN PRIVATE KEY-----", strings.Repeat("\x00\xff", 1<<16)} {
		for _, plain := range [][]byte{nil, {}, beside} {
			text := key.Seal(place, plain, []byte(secret))
			if got, err := open(t, key, place, plain, text); err != nil || !got.Equal([]byte(secret)) {
				t.Errorf("a secret of %d bytes: %v", len(secret), err)
			}
			if id, ok := envelope.KeyID(text); !ok || id != key.ID() {
				t.Errorf("sealed under the key %q, but KeyID returns %q", key.ID(), id)
			}
			if secret != "" && len(secret) > 6 && strings.Contains(text, secret) {
				t.Error("the sealed text shows the secret")
			}
		}
	}
}

func TestOpenedSecretIsItsOwn(t *testing.T) {
	key := fileKey(t, 1)
	text := key.Seal(place, beside, []byte("secret"))
	first, _ := open(t, key, place, beside, text)
	first.Wipe()
	if second, err := open(t, key, place, beside, text); err != nil || !second.Equal([]byte("secret")) {
		t.Errorf("after a wipe: %v", err)
	}
}

// TestNoncesAreFresh looks for a repeated nonce. The nonce is the first 24 bytes.
func TestNoncesAreFresh(t *testing.T) {
	key := fileKey(t, 1)
	seen := map[string]bool{}
	for range 10_000 {
		nonce := strings.SplitN(key.Seal(place, beside, nil), ".", 3)[2][:32]
		if seen[nonce] {
			t.Fatalf("the nonce %s was used twice", nonce)
		}
		seen[nonce] = true
	}
}

// TestBoundToItsPlace changes what a text is bound to, one thing at a time, and moves
// bytes from one to the next. An attacker may copy one record over another.
func TestBoundToItsPlace(t *testing.T) {
	key := fileKey(t, 1)
	text := key.Seal(place, beside, []byte("secret"))
	if _, err := open(t, key, place, beside, text); err != nil {
		t.Fatal(err)
	}
	at := func(record, field string, version uint64) envelope.Place {
		return envelope.Place{Record: record, Field: field, Version: version}
	}
	for name, c := range map[string]struct {
		at     envelope.Place
		beside string
	}{
		"another record":                   {at("project/B", "secrets", 7), "the plain part"},
		"another letter case":              {at("project/a", "secrets", 7), "the plain part"},
		"another field":                    {at("project/A", "secret", 7), "the plain part"},
		"an earlier version":               {at("project/A", "secrets", 6), "the plain part"},
		"a later version":                  {at("project/A", "secrets", 8), "the plain part"},
		"a version of the same low byte":   {at("project/A", "secrets", 7+1<<32), "the plain part"},
		"version 0":                        {at("project/A", "secrets", 0), "the plain part"},
		"another plain part":               {at("project/A", "secrets", 7), "the plain Part"},
		"a longer plain part":              {at("project/A", "secrets", 7), "the plain part\n"},
		"no plain part":                    {at("project/A", "secrets", 7), ""},
		"a byte from record to field":      {at("project/", "Asecrets", 7), "the plain part"},
		"a byte from field to record":      {at("project/As", "ecrets", 7), "the plain part"},
		"a byte from field to plain part":  {at("project/A", "secret", 7), "sthe plain part"},
		"a byte from plain part to field":  {at("project/A", "secretst", 7), "the plain part"[1:]},
		"a byte from version to plain":     {at("project/A", "secrets", 7<<8), "the plain part\x00"},
		"record and field swapped":         {at("secrets", "project/A", 7), "the plain part"},
		"field and plain part swapped":     {at("project/A", "the plain part", 7), "secrets"},
		"all in the record, with lengths":  {at("project/A\x00\x00\x00\x00\x00\x00\x00\x07secrets", "", 7), "the plain part"},
		"nothing at all":                   {envelope.Place{}, ""},
		"a NUL after the record":           {at("project/A\x00", "secrets", 7), "the plain part"},
		"everything empty but the version": {at("", "", 7), ""},
	} {
		if got, err := open(t, key, c.at, []byte(c.beside), text); !errors.Is(err, envelope.ErrSealed) || got.Len() != 0 {
			t.Errorf("%s: got %d bytes, %v", name, got.Len(), err)
		}
	}
}

func TestOtherKey(t *testing.T) {
	mine, other := fileKey(t, 1), fileKey(t, 2)
	text := mine.Seal(place, beside, []byte("secret"))
	got, err := open(t, other, place, beside, text)
	if !errors.Is(err, envelope.ErrOtherKey) || errors.Is(err, envelope.ErrSealed) || got.Len() != 0 {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), mine.ID()) || !strings.Contains(err.Error(), other.ID()) {
		t.Errorf("the error does not name both keys: %v", err)
	}
	renamed := strings.Replace(text, mine.ID(), other.ID(), 1)
	if _, err := open(t, other, place, beside, renamed); !errors.Is(err, envelope.ErrSealed) {
		t.Errorf("under a forged key id: got %v", err)
	}
}

// TestEveryChangeFails flips each bit of a text, and truncates it at every length.
func TestEveryChangeFails(t *testing.T) {
	key := fileKey(t, 1)
	text := key.Seal(place, beside, []byte("secret"))
	refused := func(name, changed string) {
		got, err := open(t, key, place, beside, changed)
		if got.Len() != 0 || !errors.Is(err, envelope.ErrSealed) && !errors.Is(err, envelope.ErrOtherKey) {
			t.Errorf("%s: got %d bytes, %v", name, got.Len(), err)
		}
	}
	for i := range len(text) {
		for bit := range 8 {
			changed := []byte(text)
			changed[i] ^= 1 << bit
			refused("one bit flipped", string(changed))
		}
		refused("cut", text[:i])
		refused("a line break added", text[:i]+"\n"+text[i:])
		refused("a byte added", text[:i]+"A"+text[i:])
	}
	for name, changed := range map[string]string{
		"a line break at the end": text + "\n", "padding": text + "=", "a dot": text + ".", "another part": text + ".AAAA",
		"upper case": strings.ToUpper(text), "another scheme": "km2" + text[3:], "no scheme": text[4:],
		"an upper case id": text[:4] + strings.ToUpper(text[4:20]) + text[20:], "twice": text + text,
		"only a nonce": "km1." + key.ID() + "." + strings.Repeat("A", 32), "no nonce": "km1." + key.ID() + ".",
		"no dots": "km1", "nothing": "",
	} {
		refused(name, changed)
	}
}

func TestKeyIDRefusesOtherTexts(t *testing.T) {
	for _, text := range []string{
		"", "km1", "km1.", "km1..", "km1.0011223344556677", "km1.001122334455667.AA", "km1.00112233445566778.AA",
		"km1.00112233445566gg.AA", "km1.001122334455667788.AA", "km0.0011223344556677.AA", "km1.AABBCCDDEEFF0011.AA",
	} {
		if id, ok := envelope.KeyID(text); ok {
			t.Errorf("%q: got %q", text, id)
		}
	}
	if id, ok := envelope.KeyID("km1.0011223344556677.AA"); !ok || id != "0011223344556677" {
		t.Errorf("got %q, %v", id, ok)
	}
}

func TestZeroKey(t *testing.T) {
	var zero envelope.Key
	text := fileKey(t, 1).Seal(place, beside, []byte("secret"))
	if _, err := zero.Open(place, beside, text); err == nil || zero.ID() != "" {
		t.Error("the zero key opens a text")
	}
	defer func() {
		if recover() == nil {
			t.Error("the zero key seals")
		}
	}()
	zero.Seal(place, beside, []byte("secret"))
}

func TestKeyPrintsNowhere(t *testing.T) {
	raw := []byte("0123456789abcdefghijklmnopqrstuv")
	text := "kmproxy-master-key-1 " + base64.StdEncoding.EncodeToString(raw)
	key, err := envelope.FromKeyFile(sensitive.New([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{key, &key, struct{ hidden envelope.Key }{key}} {
		sensitivetest.Hidden(t, raw, v)
		sensitivetest.Hidden(t, sealingKey(t, raw), v)
	}
	if key.GoString() != "[redacted]" {
		t.Errorf("prints as %q", key.GoString())
	}
	opened, err := open(t, key, place, nil, key.Seal(place, nil, raw))
	if err != nil {
		t.Fatal(err)
	}
	sensitivetest.Hidden(t, raw, opened)
}

func TestConcurrentUse(t *testing.T) {
	key := fileKey(t, 1)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got, err := open(t, key, place, beside, key.Seal(place, beside, []byte("secret")))
				if err != nil || !got.Equal([]byte("secret")) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	wg.Wait()
}
