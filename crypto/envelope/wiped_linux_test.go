package envelope_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// TestKeyFileLeavesNoTrace searches all memory of the process for the 32 bytes of a
// master key file, and for its text, while the derived key is in use. It allows for the
// copies that the standard library's HKDF leaves.
func TestKeyFileLeavesNoTrace(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // because a collection may remove traces by chance
	sensitivetest.WithoutTrace(t, func() error { return searchKeyFile(t) })
}

func searchKeyFile(t *testing.T) error {
	t.Helper()
	content := envelope.NewKeyFile()
	encoded := bytes.TrimSpace(bytes.Clone(content.Expose()))[len("kmproxy-master-key-1 "):]
	raw := make([]byte, 33)
	n, err := base64.StdEncoding.Decode(raw, encoded)
	if err != nil || n != 32 {
		t.Fatal(n, err)
	}
	secret, text := sensitivetest.NewTrace(raw[:32]), sensitivetest.NewTrace(encoded)
	if secret.Found(t) != 1 || text.Found(t) != 2 {
		return fmt.Errorf("the secret is found %d times, its text %d times: want only the test's own copies and the file", secret.Found(t), text.Found(t))
	}
	clear(raw)
	clear(encoded)
	key, err := envelope.FromKeyFile(content)
	if err != nil {
		t.Fatal(err)
	}
	content.Wipe()
	if found, byHKDF := secret.Found(t), leftByHKDF(t); found > byHKDF || text.Found(t) != 0 {
		return fmt.Errorf("the secret is found %d times (HKDF leaves %d copies), and its text %d times", found, byHKDF, text.Found(t))
	}
	if key.ID() == "" {
		return errors.New("the key is not in use")
	}
	return nil
}

// leftByHKDF returns how many copies of a secret two derivations leave.
func leftByHKDF(t *testing.T) int {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	trace := sensitivetest.NewTrace(secret)
	for range 2 {
		if _, err := hkdf.Key(sha256.New, secret, nil, "a derivation", 32); err != nil {
			t.Fatal(err)
		}
	}
	clear(secret)
	return trace.Found(t)
}
