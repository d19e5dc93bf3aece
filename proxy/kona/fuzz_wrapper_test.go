package kona_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"kmproxy/proxy/kona"
)

func seeds(f *testing.F) {
	f.Helper()
	for body := range wrappers {
		f.Add([]byte(body[:min(len(body), 1<<10)]))
	}
	for _, body := range append(misshapen, plain...) {
		f.Add([]byte(body[:min(len(body), 1<<10)]))
	}
}

// FuzzUnwrap: a wrapper is an encrypted body, is JSON of one member, and holds
// nothing but what a compact JWE is made of.
func FuzzUnwrap(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		token, err := kona.Unwrap(body)
		if !bytes.Equal(body, before) {
			t.Fatalf("%q became %q", before, body)
		}
		if err != nil {
			return
		}
		if !kona.IsEncrypted(body) {
			t.Errorf("%q is a wrapper and passes for a plain body", body)
		}
		var parsed map[string]string
		if err := json.Unmarshal(body, &parsed); err != nil || len(parsed) != 1 || parsed["encData"] != string(token) {
			t.Errorf("%q: got %q, JSON says %q, %v", body, token, parsed, err)
		}
		wrapped, err := kona.Wrap(nil, func(dst []byte) ([]byte, error) { return append(dst, token...), nil })
		if err != nil {
			t.Fatal(err)
		}
		if again, err := kona.Unwrap(wrapped); err != nil || !bytes.Equal(again, token) {
			t.Errorf("%q: wrapped again it is %q, %v", body, again, err)
		}
	})
}

// FuzzIsEncrypted: no body in which a JSON parser finds the member passes for a plain one.
func FuzzIsEncrypted(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		is := kona.IsEncrypted(body)
		var parsed map[string]json.RawMessage
		if json.Unmarshal(bytes.TrimPrefix(body, []byte(bom)), &parsed) != nil {
			return
		}
		has := false
		for name := range parsed {
			has = has || strings.EqualFold(name, "encData")
		}
		if is != has {
			t.Errorf("%q is encrypted: %t, it has the member: %t", body, is, has)
		}
	})
}
