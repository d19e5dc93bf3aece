package envelope_test

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// sealingKey derives the secret inside a Key, to search for it in printed output.
func sealingKey(t *testing.T, secret []byte) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, secret, nil, "kmproxy store sealing 1", 32)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestNewKeyFile(t *testing.T) {
	form := regexp.MustCompile(`^kmproxy-master-key-1 [A-Za-z0-9+/]{43}=\n$`)
	ids := map[string]bool{}
	for range 100 {
		content := envelope.NewKeyFile()
		if !form.Match(content.Expose()) {
			t.Fatalf("the content of %d bytes is not the expected line", content.Len())
		}
		key, err := envelope.FromKeyFile(content)
		if err != nil || len(key.ID()) != 16 || ids[key.ID()] {
			t.Fatalf("the id %q: %v", key.ID(), err)
		}
		ids[key.ID()] = true
	}
}

// TestKeyFileGrammar checks that exactly one line is accepted, and that only its line
// break may differ.
func TestKeyFileGrammar(t *testing.T) {
	line := strings.TrimSuffix(goldenKeyFile, "\n")
	head, encoded, _ := strings.Cut(line, " ")
	of := func(n int) string { return head + " " + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for text, good := range map[string]bool{
		line: true, line + "\n": true, line + "\r\n": true, line + "\n\n": true,
		"":                                    false,
		"\n":                                  false,
		encoded:                               false,
		head:                                  false,
		head + " ":                            false,
		head + encoded:                        false,
		head + "  " + encoded:                 false,
		head + "\t" + encoded:                 false,
		head + "\n" + encoded:                 false,
		" " + line:                            false,
		"\n" + line:                           false,
		"\ufeff" + line:                       false,
		line + " ":                            false,
		line + "\n#":                          false,
		line + "\n" + line:                    false,
		strings.ToUpper(head) + " " + encoded: false,
		"kmproxy-master-key-2 " + encoded:     false,
		line[:40] + "\n" + line[40:]:          false,
		line[:40] + "\n" + line[41:]:          false,
		line[:40] + " " + line[41:]:           false,
		strings.TrimSuffix(line, "="):         false,
		strings.TrimSuffix(line, "8=") + "9=": false,
		line + "=":                            false,
		strings.Replace(line, "A", "-", 1):    false,
		head + " " + strings.Repeat("00", 32): false,
		of(0):                                 false,
		of(16):                                false,
		of(31):                                false,
		of(33):                                false,
		of(64):                                false,
		"-----BEGIN PRIVATE KEY-----\nAAAA\n": false,
		strings.Repeat("kmproxy-master-key-1 ", 1<<16): false,
	} {
		key, err := envelope.FromKeyFile(sensitive.New([]byte(text)))
		switch {
		case good && (err != nil || key.ID() != goldenID):
			t.Errorf("%.80q: refused, or read as another key: %v", text, err)
		case !good && (!errors.Is(err, envelope.ErrKeyFile) || key.ID() != ""):
			t.Errorf("%.80q: got %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), encoded[:8]) {
			t.Errorf("the error quotes the file: %v", err)
		}
	}
}
