package jwe

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"kmproxy/crypto/alg"
)

// usual are the encoded headers of alg and enc alone, as nearly all clients write
// them. They need not be parsed.
var usual = usualHeaders()

func usualHeaders() map[string]alg.Suite {
	out := map[string]alg.Suite{}
	for key := alg.RSAOAEP; key.Valid(); key++ {
		for enc := alg.A128GCM; enc.Valid(); enc++ {
			s := alg.Suite{Key: key, Enc: enc}
			for _, header := range []string{encFirst(s), `{"alg":"` + key.String() + `","enc":"` + enc.String() + `"}`} {
				out[base64.RawURLEncoding.EncodeToString([]byte(header))] = s
			}
		}
	}
	return out
}

// encFirst is the header that we write, in the order of the payment platform's own
// clients.
func encFirst(s alg.Suite) string {
	return `{"enc":"` + s.Enc.String() + `","alg":"` + s.Key.String() + `"}`
}

// headerSuite is what an encoded header names.
func headerSuite(encoded []byte) (alg.Suite, error) {
	if s, ok := usual[string(encoded)]; ok {
		return s, nil
	}
	header, ok := decode(nil, encoded)
	if !ok {
		return alg.Suite{}, fail("the header is not canonical base64url")
	}
	return parseHeader(header)
}

// parseHeader reads the protected header (RFC 7516 §5.2 steps 3 to 5): one JSON
// object of string members, each at most once. alg and enc choose the suite;
// kid, typ and cty are ignored. Every other member is refused, by that also
// crit, zip, and everything that brings a key along (jwk, jku, x5c, x5u, epk).
func parseHeader(header []byte) (alg.Suite, error) {
	if !utf8.Valid(header) {
		return alg.Suite{}, fail("the header is not UTF-8")
	}
	members, err := stringMembers(header)
	if err != nil {
		return alg.Suite{}, err
	}
	return suiteOf(members)
}

// accepted tells whether a header may have a member of this exact name.
func accepted(name string) bool {
	switch name {
	case "alg", "enc", "kid", "typ", "cty":
		return true
	}
	return false
}

func suiteOf(members map[string]string) (alg.Suite, error) {
	key, err := alg.ParseKey(members["alg"])
	if err != nil {
		return alg.Suite{}, fail(err.Error())
	}
	enc, err := alg.ParseEnc(members["enc"])
	if err != nil {
		return alg.Suite{}, fail(err.Error())
	}
	return alg.Suite{Key: key, Enc: enc}, nil
}

// stringMembers reads a flat object of accepted members token by token, because
// json.Unmarshal takes duplicates and other letter cases. The object must be all
// there is (RFC 7516 §5.2 step 3: "completely valid JSON").
func stringMembers(header []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(header))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fail("the header is not a JSON object")
	}
	members := make(map[string]string, 4)
	for d.More() {
		name, err := nextString(d)
		if err != nil {
			return nil, err
		}
		if !accepted(name) {
			return nil, fail(fmt.Sprintf("the header member %.32q is not accepted", name))
		}
		if _, twice := members[name]; twice {
			return nil, fail("a header member stands twice") // RFC 7516 §5.2 step 4
		}
		if members[name], err = nextString(d); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fail("the header is not valid JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fail("something stands behind the header's object")
	}
	return members, nil
}

func nextString(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", fail("the header is not valid JSON")
	}
	s, ok := t.(string)
	if !ok {
		return "", fail("a header member is not a string")
	}
	return s, nil
}
