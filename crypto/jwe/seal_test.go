package jwe_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
)

// TestSealForm: the header is exactly what the platform's clients send, five parts
// of the right lengths (RFC 7516 §5.1, §7.1; RFC 7518 §4.3, §5.3).
func TestSealForm(t *testing.T) {
	headers := map[string]string{
		"RSA-OAEP+A128GCM":     `{"enc":"A128GCM","alg":"RSA-OAEP"}`,
		"RSA-OAEP+A256GCM":     `{"enc":"A256GCM","alg":"RSA-OAEP"}`,
		"RSA-OAEP-256+A128GCM": `{"enc":"A128GCM","alg":"RSA-OAEP-256"}`,
		"RSA-OAEP-256+A256GCM": `{"enc":"A256GCM","alg":"RSA-OAEP-256"}`,
	}
	for _, s := range suites() {
		token := must(jwe.Seal(nil, public(rsaKey()), s, []byte("content")))
		parts := strings.Split(string(token), ".")
		if len(parts) != 5 || string(unb64(parts[0])) != headers[s.String()] {
			t.Fatalf("%v: got %s", s, token)
		}
		for i, length := range []int{len(headers[s.String()]), 256, 12, 7, 16} {
			if got := len(unb64(parts[i])); got != length {
				t.Errorf("%v: part %d has %d bytes, wanted %d", s, i, got, length)
			}
		}
	}
}

// TestSealIsFresh: no IV and no encrypted key comes twice in ten thousand messages,
// and no content key in a hundred (RFC 7518 §8.4).
func TestSealIsFresh(t *testing.T) {
	seen := map[string]bool{}
	fresh := func(what string, value string) {
		if seen[what+value] {
			t.Fatalf("%s came twice", what)
		}
		seen[what+value] = true
	}
	for i := range 10_000 {
		parts := strings.Split(string(must(jwe.Seal(nil, public(rsaKey()), alg.Preferred(), nil))), ".")
		fresh("the encrypted key", parts[1])
		fresh("the IV", parts[2])
		if i%100 == 0 {
			cek, flaw := jwe.Unwrap(private(rsaKey()), alg.Preferred(), unb64(parts[1]))
			if flaw != "" {
				t.Fatal(flaw)
			}
			fresh("the content key", string(cek))
		}
	}
}

// TestSealOpen: what is sealed opens, whatever its length.
func TestSealOpen(t *testing.T) {
	lengths := []int{0, 1, 2, 3, 15, 16, 17, 255, 256, 257, 1<<16 - 1, 1 << 16}
	for range 100 {
		lengths = append(lengths, mathrand.IntN(1<<16))
	}
	for i, n := range lengths {
		content, s := random(n), suites()[i%4]
		token := must(jwe.Seal([]byte("before:"), public(rsaKey()), s, content))
		token, found := bytes.CutPrefix(token, []byte("before:"))
		got, err := open(private(rsaKey()), string(token))
		if !found || err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("%v, %d bytes: %v: %s", s, n, err, jwe.Reason(err))
		}
	}
}

// TestSealIntoTheContentsMemory: dst may be what the content lies in.
func TestSealIntoTheContentsMemory(t *testing.T) {
	memory := append(make([]byte, 0, 4096), "content"...)
	token := must(jwe.Seal(memory[:0], public(rsaKey()), alg.Preferred(), memory))
	if got, err := open(private(rsaKey()), string(token)); err != nil || string(got.Bytes()) != "content" {
		t.Errorf("got %v", err)
	}
}

// TestSealOver: with room for the tag the ciphertext takes the content's place, and
// without it the content stays; the room for the JWE is exactly what it takes.
func TestSealOver(t *testing.T) {
	for _, s := range suites() {
		for spare := range 18 {
			memory := append(make([]byte, 0, 7+spare), "content"...)
			room := jwe.RoomToSeal(public(rsaKey()), s, len(memory))
			token := must(jwe.SealOver(make([]byte, 0, room), public(rsaKey()), s, memory))
			got, err := open(private(rsaKey()), string(token))
			if err != nil || string(got.Bytes()) != "content" || len(token) != room {
				t.Errorf("%v, %d bytes to spare: %v, %d bytes in room for %d", s, spare, err, len(token), room)
			}
			if stays := string(memory) == "content"; stays != (spare < 16) {
				t.Errorf("%v, %d bytes to spare: the content is still there: %t", s, spare, stays)
			}
		}
	}
}

// TestSealRefuses what the key's record does not allow.
func TestSealRefuses(t *testing.T) {
	only := must(jwk.NewPublic(&rsaKey().PublicKey, must(alg.ParseSet([]string{"RSA-OAEP"}, []string{"A128GCM"}))))
	before := []byte("before:")
	refused := 0
	for name, key := range map[string]jwk.Public{"the zero key": {}, "a key for one suite": only} {
		for _, s := range append(suites(), alg.Suite{}, alg.Suite{Key: alg.RSAOAEP}, alg.Suite{Key: 9, Enc: 9}) {
			if key.Allows(s) {
				continue
			}
			refused++
			if got, err := jwe.Seal(before, key, s, []byte("content")); err == nil || string(got) != "before:" {
				t.Errorf("%s, %v: got %q, %v", name, s, got, err)
			}
			if got, err := jwe.SealOver(before, key, s, []byte("content")); err == nil || string(got) != "before:" || jwe.RoomToSeal(key, s, 7) != 0 {
				t.Errorf("%s, %v, over its content: got %q, %v", name, s, got, err)
			}
		}
	}
	if refused != 7+6 {
		t.Errorf("%d cases were tried", refused)
	}
}

// TestGoJose exchanges messages with another implementation, both ways, under
// every suite.
func TestGoJose(t *testing.T) {
	content := []byte(`{"userId":9999999999999999999}`)
	for _, s := range suites() {
		keyAlg, enc := jose.KeyAlgorithm(s.Key.String()), jose.ContentEncryption(s.Enc.String())
		sealed := must(jwe.Seal(nil, public(rsaKey()), s, content))
		theirs, err := jose.ParseEncryptedCompact(string(sealed), []jose.KeyAlgorithm{keyAlg}, []jose.ContentEncryption{enc})
		if err != nil {
			t.Fatalf("%v: go-jose does not read ours: %v", s, err)
		}
		if got, err := theirs.Decrypt(rsaKey()); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%v: go-jose does not open ours: %v", s, err)
		}

		options := (&jose.EncrypterOptions{}).WithType("JWE").WithContentType("json")
		encrypter := must(jose.NewEncrypter(enc, jose.Recipient{Algorithm: keyAlg, Key: &rsaKey().PublicKey, KeyID: "kid"}, options))
		message := must(must(encrypter.Encrypt(content)).CompactSerialize())
		if got, err := open(private(rsaKey()), message); err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("%v: go-jose's does not open: %v: %s", s, err, jwe.Reason(err))
		}
	}
}

// TestLeadingZero finds an encrypted key that begins with a zero byte, which has to
// stay (RFC 8017 §4.1: as long as the modulus).
func TestLeadingZero(t *testing.T) {
	for {
		parts := forgery{content: []byte("content")}.parts(rsaKey())
		encrypted := unb64(parts[1])
		if encrypted[0] != 0 {
			continue
		}
		if _, err := open(private(rsaKey()), joined(parts)); err != nil {
			t.Errorf("with its zero: %s", jwe.Reason(err))
		}
		parts[1] = b64(encrypted[1:])
		_, err := open(private(rsaKey()), joined(parts))
		refuse(t, "without its zero", err, "not of the modulus's length")
		return
	}
}

// TestOddModulus seals and opens under keys whose length is no multiple of eight
// bits: an encrypted key has the length of the modulus in whole bytes.
func TestOddModulus(t *testing.T) {
	for _, bits := range []int{2049, 2055} {
		key := must(rsa.GenerateKey(rand.Reader, bits))
		for _, s := range suites() {
			token := must(jwe.Seal(nil, public(key), s, []byte("content")))
			if got, err := open(private(key), string(token)); err != nil || string(got.Bytes()) != "content" {
				t.Errorf("%d bits, %v: %v", bits, s, err)
			}
			parts := strings.Split(string(token), ".")
			parts[1] = b64(slices.Repeat([]byte{0xff}, 257))
			_, err := open(private(key), joined(parts))
			refuse(t, "more than the modulus", err, "not below it")
		}
	}
}
