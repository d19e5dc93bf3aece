package jwk_test

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"testing"

	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// TestParsedPEMLeavesNoTrace looks through all memory of the process for the text of a
// private key after it was read.
func TestParsedPEMLeavesNoTrace(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would take traces away by chance
	sensitivetest.WithoutTrace(t, func() error { return searchPEM(t) })
}

func searchPEM(t *testing.T) error {
	t.Helper()
	key, err := jwk.Generate(2048)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwk.PrivatePEM(key)
	if err != nil {
		t.Fatal(err)
	}
	line := bytes.Split(text.Expose(), []byte("\n"))[12] // of the private numbers
	trace := sensitivetest.NewTrace(line)
	before := trace.Found(t)
	if before == 0 {
		t.Fatal("the search finds nothing")
	}
	if _, err := jwk.ParsePrivatePEM(text.Expose()); err != nil {
		t.Fatal(err)
	}
	if found := trace.Found(t); found != before {
		return fmt.Errorf("the text is found %d times, %d before it was read", found, before)
	}
	text.Wipe()
	if found := trace.Found(t); found >= before {
		return fmt.Errorf("the text is found %d times after it was wiped, %d before", found, before)
	}
	return nil
}
