package sensitivetest_test

import (
	"encoding/json"
	"math/big"
	"testing"

	"kmproxy/crypto/sensitive/sensitivetest"
)

// recorder records that a test would have failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

var secret = []byte("\x01secret of mine\xff")

// marshals hides its secret from fmt, but not from JSON.
type marshals struct{}

func (marshals) String() string               { return "hidden" }
func (marshals) MarshalJSON() ([]byte, error) { return json.Marshal(secret) }

// stringer hides its secret from %v, but not when it is in an unexported field.
type stringer struct{ b []byte }

func (stringer) String() string { return "hidden" }

// TestHiddenNotices checks that Hidden fails for values that print their secret.
func TestHiddenNotices(t *testing.T) {
	for name, v := range map[string]any{
		"bytes":               secret,
		"a string":            string(secret),
		"a number":            new(big.Int).SetBytes(secret),
		"a number in a field": struct{ n *big.Int }{new(big.Int).SetBytes(secret)},
		"an array":            [15]byte(secret),
		"only a JSON method":  marshals{},
		"only a String":       stringer{secret},
	} {
		r := &recorder{TB: t}
		sensitivetest.Hidden(r, secret, v)
		if !r.failed {
			t.Errorf("%s: the secret was not found", name)
		}
	}
}

func TestHiddenPasses(t *testing.T) {
	sensitivetest.Hidden(t, secret, struct{ public string }{"nothing of it"})
}
