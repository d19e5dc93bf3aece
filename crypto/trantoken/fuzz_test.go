package trantoken_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/trantoken"
)

// FuzzToken checks that a token that parses has one of the four documented spellings of
// its time and MAC, and is verified for its own body only.
func FuzzToken(f *testing.F) {
	unpadded := strings.TrimSuffix(mac64, "=")
	for _, s := range []string{
		"KMV1:20260102030405678:" + mac64, "KMV1:20260102030405678:" + unpadded,
		"KMV1:2026010203040567:" + mac64, "KMV1:2026010203040567:" + unpadded,
		"KMV1:20261231235960000:" + mac64, "KMV1:20240229235959999:" + unpadded,
		"KMV2:20260102030405678:" + mac64, "KMV1:20260102030405678:" + unpadded + "\n", "", ":::", "KMV1:",
	} {
		f.Add(s, []byte(question))
	}
	f.Fuzz(func(t *testing.T, s string, body []byte) {
		tok, err := trantoken.Parse(s)
		if err != nil {
			if !errors.Is(err, trantoken.ErrLength) && !errors.Is(err, trantoken.ErrForm) {
				t.Fatalf("unexpected error: %v", err)
			}
			if errors.Is(err, trantoken.ErrLength) != (len(s) < 65 || len(s) > 67) {
				t.Fatalf("%d characters: %v", len(s), err)
			}
			return
		}
		mac := tok.MAC()
		digits := strings.Split(s, ":")[1]
		canonical := "KMV1:" + digits + ":" + base64.StdEncoding.EncodeToString(mac[:])
		if s != canonical && s+"=" != canonical {
			t.Errorf("%q is another spelling of %q", s, canonical)
		}
		again := strings.Replace(tok.At(time.UTC).Format("20060102150405.000"), ".", "", 1)
		if !strings.HasPrefix(again, digits) {
			t.Errorf("%q reads as %s", s, again)
		}
		key := secret("the fuzzer does not know this")
		if tok.Verify(key, body) {
			t.Errorf("%q is verified under a secret that did not make it", s)
		}
		own, err := trantoken.Parse(trantoken.Make(key, body, tok.At(time.UTC)))
		if err != nil || !own.Verify(key, body) || own.Verify(key, append(body, 0)) {
			t.Errorf("a token made by Make at %s: %v", again, err)
		}
	})
}
