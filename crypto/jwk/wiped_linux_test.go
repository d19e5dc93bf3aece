package jwk_test

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"testing"

	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// TestParsedPEMLeavesNoTrace searches all memory of the process for the text of a
// private key after it was parsed.
func TestParsedPEMLeavesNoTrace(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // because a collection may remove traces by chance
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
	line := bytes.Split(text.Expose(), []byte("\n"))[12] // a line with private numbers
	trace := sensitivetest.NewTrace(line)
	before := trace.Found(t)
	if before == 0 {
		t.Fatal("the search does not find the text itself")
	}
	if _, err := jwk.ParsePrivatePEM(text.Expose()); err != nil {
		t.Fatal(err)
	}
	if found := trace.Found(t); found != before {
		return fmt.Errorf("the text is found %d times; before it was parsed, %d times", found, before)
	}
	text.Wipe()
	if found := trace.Found(t); found >= before {
		return fmt.Errorf("the text is found %d times after it was wiped; before, %d times", found, before)
	}
	return nil
}
