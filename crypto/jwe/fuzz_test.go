package jwe_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/jwe"
)

// FuzzParse: nothing panics; what parses has a suite of ours and, if it has no
// flaw, one spelling; and under the key of RFC 7516 A.1 nothing opens but what was
// sealed to it.
func FuzzParse(f *testing.F) {
	example := readExample(f, "testdata/rfc7516_a1.json")
	key := private(example.JWK.rsa(f))
	f.Add([]byte(example.Compact))
	for _, header := range []string{
		honestHeader, `{"alg":"RSA-OAEP","enc":"A128GCM","kid":"k","typ":"JWE","cty":"json"}`,
		`{"alg":"RSA1_5","enc":"A256GCM"}`, `{"alg":"dir","alg":"dir"}`, `{"enc":"A256GCM","alg":"RSA-OAEP","zip":"DEF"}`,
		`{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":[]}`, `{}`, `{"\u0061lg":"RSA-OAEP","enc":"A256GCM"} `,
	} {
		_, rest, _ := strings.Cut(example.Compact, ".")
		f.Add([]byte(b64([]byte(header)) + "." + rest))
	}
	f.Add([]byte(b64([]byte(honestHeader)) + "...."))
	f.Add([]byte(`{"protected":"` + b64([]byte(honestHeader)) + `"}....`))
	f.Fuzz(func(t *testing.T, token []byte) {
		m, err := jwe.Parse(token)
		lent, lentErr := jwe.ParseInto(make([]byte, jwe.RoomFor(token)), token)
		if lent.Flawed() != m.Flawed() || jwe.Reason(lentErr) != jwe.Reason(err) {
			t.Fatalf("in lent memory: flawed %t, %s; in its own: %t, %s", lent.Flawed(), jwe.Reason(lentErr), m.Flawed(), jwe.Reason(err))
		}
		if err != nil {
			if !errors.Is(err, jwe.ErrOpen) || jwe.Reason(err) == "" || m.Suite().Valid() {
				t.Fatalf("%v: %s", err, jwe.Reason(err))
			}
			return
		}
		if !m.Suite().Valid() {
			t.Fatalf("parsed with %v", m.Suite())
		}
		if again, flawed := m.Rejoin(); !flawed && again != string(token) {
			t.Errorf("a second spelling of %s", again)
		}
		content, err := jwe.Open(key, m)
		if _, lentErr := jwe.Open(key, lent); jwe.Reason(lentErr) != jwe.Reason(err) {
			t.Errorf("in lent memory: %s, in its own: %s", jwe.Reason(lentErr), jwe.Reason(err))
		}
		switch {
		case err == nil && string(token) != example.Compact:
			t.Errorf("opened what nobody sealed: %q", content.Bytes())
		case err != nil && !errors.Is(err, jwe.ErrOpen):
			t.Errorf("an error of another kind: %v", err)
		}
	})
}

// FuzzHeader: what is accepted as a header is an object whose alg and enc another
// JSON reader finds as well, and which has no member but the five.
func FuzzHeader(f *testing.F) {
	for _, header := range []string{
		honestHeader, `{"alg":"RSA-OAEP","enc":"A128GCM","kid":"k","typ":"JWE","cty":"json"}`, `{"alg":"RSA-OAEP"}`,
		`{"alg":"RSA-OAEP","ALG":"RSA1_5","enc":"A128GCM"}`, " {\"alg\":\"RSA-OAEP\",\n\"enc\" : \"A256GCM\"}\t", `[]`, `{"alg":{}}`,
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		m, err := jwe.Parse([]byte(b64([]byte(header)) + "...."))
		if err != nil {
			return
		}
		var members map[string]string
		if err := json.Unmarshal([]byte(header), &members); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		if members["alg"] != m.Suite().Key.String() || members["enc"] != m.Suite().Enc.String() {
			t.Errorf("%v, but others read %q", m.Suite(), members)
		}
		for _, name := range []string{"alg", "enc", "kid", "typ", "cty"} {
			delete(members, name)
		}
		if len(members) != 0 {
			t.Errorf("accepted with %q", members)
		}
	})
}

// FuzzSealOpen: what is sealed opens to the same.
func FuzzSealOpen(f *testing.F) {
	key := private(readExample(f, "testdata/rfc7516_a1.json").JWK.rsa(f))
	f.Add([]byte(nil), byte(0))
	f.Add([]byte(`{"userId":1}`), byte(3))
	f.Fuzz(func(t *testing.T, content []byte, suite byte) {
		token, err := jwe.Seal(nil, key.Public(), suites()[suite%4], content)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := open(key, string(token)); err != nil || string(got.Bytes()) != string(content) {
			t.Errorf("%v: %s", err, jwe.Reason(err))
		}
	})
}
