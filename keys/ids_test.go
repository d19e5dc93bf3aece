package keys_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"kmproxy/keys"
)

func TestIDGrammar(t *testing.T) {
	parsers := map[string]func(string) (string, error){
		"asp id":     func(s string) (string, error) { id, err := keys.ParseASPID(s); return string(id), err },
		"access key": func(s string) (string, error) { id, err := keys.ParseAccessKey(s); return string(id), err },
		"key id":     func(s string) (string, error) { id, err := keys.ParseKeyID(s); return string(id), err },
	}
	a := strings.Repeat
	for kind, texts := range map[string]map[string]bool{
		"asp id": {
			"000000000000000": true, "azAZ09azAZ09azA": true, "abcdefghijklmno": true, "ZZZZZZZZZZZZZZZ": true,
			"": false, "00000000000000": false, "0000000000000000": false, "00000000000000 ": false, " 00000000000000": false,
			"0000000_0000000": false, "000000000000-00": false, "00000000000000\n": false, "00000000000000\x00": false,
			"../000000000000": false, "0000000é000000": false, "０００００": false, "00000000000000/": false,
			"00000000000000:": false, "00000000000000@": false, "00000000000000[": false, "00000000000000`": false,
			"00000000000000{": false,
		},
		"access key": {
			a("a", 40): true, a("!", 40): true, a("~", 40): true, `"\<>&'` + a("x", 34): true,
			"0123456-0123456789abcdef0123456789abcdef": true,
			"": false, a("a", 39): false, a("a", 41): false, a("a", 39) + " ": false, a("a", 39) + "\t": false,
			a("a", 39) + "\x7f": false, a("a", 39) + "\n": false, a("a", 38) + "é": false, a("a", 39) + "\x00": false,
		},
		"key id": {
			a("0", 32): true, a("f", 32): true, a("F", 32): true, "0123456789abcdefABCDEF0123456789": true,
			"": false, a("0", 31): false, a("0", 33): false, a("0", 31) + "g": false, a("0", 31) + "G": false,
			a("0", 31) + " ": false, a("0", 31) + "\n": false, a("0", 31) + "-": false, "0x" + a("0", 30): false,
			a("0", 31) + "`": false, a("0", 31) + "@": false, a("0", 31) + "/": false, a("0", 31) + ":": false,
			a("0", 30) + "é": false,
		},
	} {
		for text, good := range texts {
			got, err := parsers[kind](text)
			switch {
			case good && (err != nil || got != text):
				t.Errorf("%s %q: got %q, %v", kind, text, got, err)
			case !good && (!errors.Is(err, keys.ErrID) || got != ""):
				t.Errorf("%s %q: got %q, %v", kind, text, got, err)
			case !good && strings.ContainsAny(err.Error(), "\x00\n\t"):
				t.Errorf("%s %q: the error repeats what was sent: %q", kind, text, err)
			}
		}
	}
}

func TestKeyIDsIgnoreLetterCase(t *testing.T) {
	lower, upper, mixed := keys.KeyID(strings.Repeat("af", 16)), keys.KeyID(strings.Repeat("AF", 16)), keys.KeyID(strings.Repeat("aF", 16))
	if !lower.Equal(upper) || !upper.Equal(mixed) || !mixed.Equal(lower) {
		t.Error("one id in three spellings is not equal to itself")
	}
	if lower.Equal(keys.KeyID(strings.Repeat("af", 15) + "ae")) {
		t.Error("two ids are equal")
	}
}

func TestNewKeyID(t *testing.T) {
	seen := map[keys.KeyID]bool{}
	for range 1000 {
		id := keys.NewKeyID()
		if _, err := keys.ParseKeyID(string(id)); err != nil || seen[id] {
			t.Fatalf("%q: seen before (%t) or %v", id, seen[id], err)
		}
		seen[id] = true
	}
}

// TestNewAccessKeys wants the shape that the payment platform gives out.
func TestNewAccessKeys(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{7}-[0-9a-f]{32}$`)
	first, second := keys.NewAccessKey(), keys.NewAccessKey()
	if !form.MatchString(string(first)) || !form.MatchString(string(second)) || first == second {
		t.Errorf("got %q and %q", first, second)
	}
}
