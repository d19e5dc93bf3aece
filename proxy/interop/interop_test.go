// Package interop_test calls a whole proxy over TLS with JWE implementations
// of other projects. Each one seals requests that the proxy must open, and
// opens answers that the proxy sealed.
package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestNodeJose(t *testing.T) {
	check(t, func(t *testing.T, j job) report {
		return runNode(t, j, "with-jose.mjs", "node_modules/jose/package.json")
	})
}

func TestNodeCrypto(t *testing.T) {
	check(t, func(t *testing.T, j job) report { return runNode(t, j, "with-crypto.mjs") })
}

func TestPythonJWCrypto(t *testing.T) {
	check(t, runPython)
}

func TestGoJose(t *testing.T) {
	check(t, runGoJose)
}

// maxShown is how many failed calls are described: one cause often fails many.
const maxShown = 8

// check gives a client a proxy of its own and compares what the client, the
// upstream and the job say of every call.
func check(t *testing.T, client func(*testing.T, job) report) {
	t.Helper()
	t.Parallel()
	p, seen := start(t)
	j := newJob(t, p)
	said := client(t, j)
	if len(said.Results) != len(j.Calls) || len(j.Calls) < minCalls {
		t.Fatalf("%s: %d results of %d calls, want at least %d", said.Client, len(said.Results), len(j.Calls), minCalls)
	}
	failed := 0
	for i, c := range j.Calls {
		if err := checkCall(j.KeyID, c, said.Results[i], seen); err != nil {
			if failed++; failed <= maxShown {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
	if got := p.Upstream.Calls(); got != len(j.Calls) {
		t.Errorf("%s: the upstream had %d calls of %d", said.Client, got, len(j.Calls))
	}
	t.Logf("%s: %d calls, %d failed", said.Client, len(j.Calls), failed)
}

func checkCall(keyID string, c call, r result, seen *exchanges) error {
	if r.Name != c.Name {
		return fmt.Errorf("in its place is the result of %s", r.Name)
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	if len(r.Token) != c.tokenLength {
		return fmt.Errorf("the token %s has %d characters", r.Token, len(r.Token))
	}
	if r.Alg != c.Alg || r.Enc != c.Enc || r.KeyID != keyID {
		return fmt.Errorf("it was answered with %s, %s and key %s", r.Alg, r.Enc, r.KeyID)
	}
	x, ok := seen.find(r.CorrelationID)
	if !ok {
		return fmt.Errorf("the upstream knows no correlation id %q", r.CorrelationID)
	}
	if !bytes.Equal(x.body, c.Body) {
		return fmt.Errorf("the upstream got %d bytes: %.200q", len(x.body), x.body)
	}
	if !isPadded(r.Answer, x.answer, c.padBytes) {
		return fmt.Errorf("the client got %d bytes: %.200q", len(r.Answer), r.Answer)
	}
	return nil
}

// isPadded reports whether got is want followed by blanks up to the next
// multiple of size, or with nothing at all where size is 0.
func isPadded(got, want []byte, size int) bool {
	padding, ok := bytes.CutPrefix(got, want)
	if size == 0 {
		return ok && len(padding) == 0
	}
	return ok && len(padding) < size && len(got)%size == 0 && len(bytes.Trim(padding, " ")) == 0
}
