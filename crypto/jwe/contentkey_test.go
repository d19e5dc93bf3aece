package jwe_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// keep opens a token with the private key and keeps its content key.
func keep(t *testing.T, token []byte) jwe.ContentKey {
	t.Helper()
	plain, key, err := jwe.OpenKeeping(private(rsaKey()), must(jwe.Parse(token)))
	if err != nil || string(plain.Bytes()) != "content" || key.Wrapped() != must(jwe.Parse(token)).Wrapped() {
		t.Fatal(err)
	}
	return key
}

// TestContentKey: what one Sealer seals, the content key of its first message opens,
// in every suite, in lent memory too.
func TestContentKey(t *testing.T) {
	for _, s := range suites() {
		sealer := must(jwe.NewSealer(public(rsaKey()), s))
		key := keep(t, must(sealer.Seal(nil, []byte("content"))))
		for _, content := range []string{"", "another", strings.Repeat("long", 10000)} {
			token := must(sealer.Seal([]byte("before"), []byte(content)))[len("before"):]
			m := must(jwe.Parse(token))
			lent := must(jwe.ParseInto(make([]byte, jwe.RoomFor(token)), token))
			for _, m := range []jwe.Message{m, m, lent} {
				if got, err := key.Open(m); err != nil || string(got.Bytes()) != content {
					t.Errorf("%v: %d bytes: %v", s, len(content), err)
				}
			}
			if m.CiphertextBytes() != len(content) {
				t.Errorf("%d bytes of ciphertext for %d", m.CiphertextBytes(), len(content))
			}
		}
	}
}

// TestContentKeyFitsExactly: no bit of the encrypted key, no name in the header may
// be another, and what fits must be authentic still (RFC 7516 §5.2 step 16).
func TestContentKeyFitsExactly(t *testing.T) {
	sealer := must(jwe.NewSealer(public(rsaKey()), alg.Preferred()))
	key := keep(t, must(sealer.Seal(nil, []byte("content"))))
	token := string(must(sealer.Seal(nil, []byte("content"))))
	parts := strings.Split(token, ".")
	with := func(i int, part string) string {
		edited := slices.Clone(parts)
		edited[i] = part
		return strings.Join(edited, ".")
	}
	header := func(text string) string { return with(0, b64([]byte(text))) }
	for name, forged := range map[string]string{
		"another alg":          header(`{"enc":"A256GCM","alg":"RSA-OAEP"}`),
		"another enc":          header(`{"enc":"A128GCM","alg":"RSA-OAEP-256"}`),
		"another header":       header(`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`),
		"a member more":        header(`{"enc":"A256GCM","alg":"RSA-OAEP-256","kid":"k"}`),
		"no encrypted key":     with(1, ""),
		"a shorter one":        with(1, b64(unb64(parts[1])[:255])),
		"a longer one":         with(1, b64(append(unb64(parts[1]), 0))),
		"the IV":               with(2, b64(random(12))),
		"a short IV":           with(2, b64(random(11))),
		"the ciphertext":       with(3, b64(random(7))),
		"the tag":              with(4, b64(random(16))),
		"a short tag":          with(4, b64(unb64(parts[4])[:15])),
		"a message of others'": string(must(jwe.Seal(nil, public(rsaKey()), alg.Preferred(), []byte("content")))),
	} {
		m := must(jwe.Parse([]byte(forged)))
		if got, err := key.Open(m); !errors.Is(err, jwe.ErrOpen) || !panics(func() { got.Bytes() }) {
			t.Errorf("%s: it opens, %v", name, err)
		}
	}
	for bit := range 8 * 256 {
		wrapped := unb64(parts[1])
		wrapped[bit/8] ^= 1 << (bit % 8)
		if _, err := key.Open(must(jwe.Parse([]byte(with(1, b64(wrapped)))))); !errors.Is(err, jwe.ErrOpen) {
			t.Fatalf("with bit %d of the encrypted key flipped it opens", bit)
		}
	}
	if _, err := key.Open(must(jwe.Parse([]byte(token)))); err != nil {
		t.Error(err)
	}
}

// TestOnlyOpenedMessagesGiveKeys: a message that fails has no content key.
func TestOnlyOpenedMessagesGiveKeys(t *testing.T) {
	for name, f := range map[string]forgery{"wrong tag": {key: random(32)}, "wrong length": {cek: random(16), key: random(16)}} {
		m := must(jwe.Parse([]byte(f.token(rsaKey()))))
		_, key, err := jwe.OpenKeeping(private(rsaKey()), m)
		if !errors.Is(err, jwe.ErrOpen) || key != (jwe.ContentKey{}) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := key.Open(m); !errors.Is(err, jwe.ErrOpen) {
			t.Errorf("%s: no key at all opens it", name)
		}
	}
}

// TestWipedContentKey opens nothing, in any copy of its handle; a clone still does.
func TestWipedContentKey(t *testing.T) {
	token := must(jwe.Seal(nil, public(rsaKey()), alg.Preferred(), []byte("content")))
	key := keep(t, token)
	copied, clone := key, key.Clone()
	key.Wipe()
	if _, err := copied.Open(must(jwe.Parse(token))); !errors.Is(err, jwe.ErrOpen) {
		t.Error("a wiped key opens")
	}
	if _, err := clone.Open(must(jwe.Parse(token))); err != nil {
		t.Error(err)
	}
}

func TestContentKeyPrintsNowhere(t *testing.T) {
	secret := random(32)
	f := forgery{cek: secret, content: []byte("content")}
	sensitivetest.Hidden(t, secret, keep(t, []byte(f.token(rsaKey()))))
}

// TestSealer: one encrypted key for all of its messages, an IV of its own for each
// (RFC 7518 §8.4, NIST SP 800-38D §8.2), and an end.
func TestSealer(t *testing.T) {
	sealer := must(jwe.NewSealer(public(rsaKey()), alg.Preferred()))
	wrapped, ivs := "", map[string]bool{}
	for range 1000 {
		parts := strings.Split(string(must(sealer.Seal(nil, nil))), ".")
		if ivs[parts[2]] || wrapped != "" && parts[1] != wrapped {
			t.Fatalf("%q", parts)
		}
		wrapped, ivs[parts[2]] = parts[1], true
	}
	sealer.Wear()
	if _, err := sealer.Seal(nil, nil); err != nil {
		t.Errorf("the last one: %v", err)
	}
	if _, err := sealer.Seal(nil, nil); !errors.Is(err, jwe.ErrWorn) {
		t.Errorf("one more: %v", err)
	}
}
