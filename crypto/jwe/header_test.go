package jwe_test

import (
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
)

// withHeader is a message that is honest but for its header.
func withHeader(header string) string { return forgery{header: header}.token(rsaKey()) }

// headerOf is a header of n bytes.
func headerOf(n int) string {
	header := `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":""}`
	return strings.Replace(header, `""`, `"`+strings.Repeat("k", n-len(header))+`"`, 1)
}

// TestAcceptedHeaders opens messages whose header is spelled as others spell it:
// RFC 7516 §4.1 wants no order, no certain white space, no certain escapes.
func TestAcceptedHeaders(t *testing.T) {
	for _, header := range []string{
		honestHeader,
		`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`,
		"{ \"alg\" : \"RSA-OAEP-256\" ,\r\n\t\"enc\" : \"A256GCM\" }\n",
		`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"any text \u0000\ud800 é"}`,
		`{"typ":"JOSE","cty":"json","kid":"","alg":"RSA-OAEP-256","enc":"A256GCM"}`,
		`{"\u0061lg":"RSA-OAEP-256","enc":"A256\u0047CM"}`,
		headerOf(768), // 1024 bytes when encoded
	} {
		got, err := open(private(rsaKey()), forgery{header: header, content: []byte("content")}.token(rsaKey()))
		if err != nil || string(got.Bytes()) != "content" {
			t.Errorf("%q: %v: %s", header, err, jwe.Reason(err))
		}
	}
}

// TestUsualHeaders: what is not parsed names what it would if it were.
func TestUsualHeaders(t *testing.T) {
	for encoded, want := range jwe.Usual {
		header, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := jwe.ParseHeader(header); err != nil || got != want {
			t.Errorf("%s: parsed it is %v, %v, unparsed %v", header, got, err, want)
		}
	}
	if len(jwe.Usual) != 8 { // two orders, two algs, two encs
		t.Errorf("%d usual headers", len(jwe.Usual))
	}
}

// TestRefusedHeaders: whatever is not on the list is refused before the key is
// used (RFC 7516 §5.2 steps 3 to 5; the same of a JWS in RFC 7515 §5.2 steps 3 to
// 5; duplicate names, RFC 7515 §4).
func TestRefusedHeaders(t *testing.T) {
	const algEnc = `"alg":"RSA-OAEP-256","enc":"A256GCM"`
	for header, says := range map[string]string{
		headerOf(769): "longer than 1024 bytes",
		// step 3: valid UTF-8, one completely valid JSON object
		"":                                  "not a JSON object",
		" ":                                 "not a JSON object",
		`null`:                              "not a JSON object",
		`"alg"`:                             "not a JSON object",
		`[]`:                                "not a JSON object",
		`[{` + algEnc + `}]`:                "not a JSON object",
		"\ufeff{" + algEnc + "}":            "not a JSON object",
		`{`:                                 "not valid JSON",
		`{` + algEnc:                        "not valid JSON",
		`{` + algEnc + `,}`:                 "not valid JSON",
		`{,` + algEnc + `}`:                 "not valid JSON",
		`{` + algEnc + `]`:                  "not valid JSON",
		`{"alg" "RSA-OAEP-256"}`:            "not valid JSON",
		`{"alg":"RSA-OAEP-256" "enc":"x"}`:  "not valid JSON",
		`{'alg':'RSA-OAEP-256'}`:            "not valid JSON",
		"{" + algEnc + ",\"kid\":\"\n\"}":   "not valid JSON",
		"{" + algEnc + ",\"kid\":\"\xff\"}": "not UTF-8",
		`{` + algEnc + `}{}`:                "behind the header",
		`{` + algEnc + `}}`:                 "behind the header",
		`{` + algEnc + `}x`:                 "behind the header",
		"{" + algEnc + "}\x00":              "behind the header",
		`{` + algEnc + `}//`:                "behind the header",
		// step 4: no duplicate names
		`{` + algEnc + `,"alg":"RSA-OAEP-256"}`:         "stands twice",
		`{` + algEnc + `,"enc":"A128GCM"}`:              "stands twice",
		`{` + algEnc + `,"kid":"a","kid":"a"}`:          "stands twice",
		`{` + algEnc + `,"\u0061lg":"RSA-OAEP"}`:        "stands twice",
		`{"alg":"RSA1_5",` + algEnc + `}`:               "stands twice",
		`{"alg":"dir","enc":"A256GCM","alg":"dir"}`:     "stands twice",
		`{` + algEnc + `,"typ":"JWE","typ":"JOSE"}`:     "stands twice",
		`{` + algEnc + `,"cty":"JWT","c\u0074y":"JWT"}`: "stands twice",
		// step 5: values are strings
		`{"alg":null,"enc":"A256GCM"}`:           "not a string",
		`{"alg":1,"enc":"A256GCM"}`:              "not a string",
		`{"alg":true,"enc":"A256GCM"}`:           "not a string",
		`{"alg":["RSA-OAEP-256"],"enc":"A"}`:     "not a string",
		`{"alg":{"a":"RSA-OAEP-256"},"enc":"A"}`: "not a string",
		`{"alg":"RSA-OAEP-256","enc":2}`:         "not a string",
		`{` + algEnc + `,"kid":1}`:               "not a string",
		`{` + algEnc + `,"kid":null}`:            "not a string",
		`{` + algEnc + `,"typ":{}}`:              "not a string",
		// step 5: alg and enc must be there, and ours to the letter
		`{}`:                                          `alg ""`,
		`{"enc":"A256GCM"}`:                           `alg ""`,
		`{"alg":"RSA-OAEP-256"}`:                      `enc ""`,
		`{"alg":"","enc":""}`:                         `alg ""`,
		`{"alg":"RSA1_5","enc":"A256GCM"}`:            `alg "RSA1_5"`,
		`{"alg":"dir","enc":"A256GCM"}`:               `alg "dir"`,
		`{"alg":"none","enc":"A256GCM"}`:              `alg "none"`,
		`{"alg":"A256KW","enc":"A256GCM"}`:            `alg "A256KW"`,
		`{"alg":"ECDH-ES","enc":"A256GCM"}`:           `alg "ECDH-ES"`,
		`{"alg":"PBES2-HS256+A128KW","enc":"A"}`:      `alg "PBES2-HS256+A128KW"`,
		`{"alg":"RSA-OAEP-512","enc":"A256GCM"}`:      `alg "RSA-OAEP-512"`,
		`{"alg":"rsa-oaep-256","enc":"A256GCM"}`:      `alg "rsa-oaep-256"`,
		`{"alg":"RSA-OAEP-256 ","enc":"A256GCM"}`:     `alg "RSA-OAEP-256 "`,
		`{"alg":"RSA\u2010OAEP","enc":"A256GCM"}`:     `alg "RSA`,
		`{"alg":"RSA-OAEP","enc":"a256gcm"}`:          `enc "a256gcm"`,
		`{"alg":"RSA-OAEP","enc":"A192GCM"}`:          `enc "A192GCM"`,
		`{"alg":"RSA-OAEP","enc":"A128CBC-HS256"}`:    `enc "A128CBC-HS256"`,
		`{"alg":"A256GCM","enc":"RSA-OAEP"}`:          `alg "A256GCM"`,
		`{"ALG":"RSA-OAEP-256","enc":"A256GCM"}`:      `member "ALG"`,
		`{"Alg":"RSA1_5",` + algEnc + `}`:             `member "Alg"`,
		`{"alg":"RSA-OAEP","Enc":"A256GCM"}`:          `member "Enc"`,
		`{` + algEnc + `,"":"x"}`:                     `member ""`,
		`{` + algEnc + `,"alg\u0000":"RSA1_5"}`:       `member "alg\x00"`,
		`{` + algEnc + `,"\ud800":"x","\udfff":"x"}`:  `member "`,
		`{` + algEnc + `,"encrypted_key":"AA"}`:       `member "encrypted_key"`,
		`{` + algEnc + `,"unprotected":{"alg":"x"}}`:  `member "unprotected"`,
		`{` + algEnc + `,"a\nb":"log line injected"}`: `member "a\nb"`,
	} {
		parts := forgery{}.parts(rsaKey())
		parts[0] = b64([]byte(header))
		_, err := jwe.Parse([]byte(joined(parts)))
		refuse(t, header, err, says)
	}
}

// TestRefusedMembers has every other member of the IANA registry for JOSE
// headers, with a value as it should be and as a string. By that nothing is ever
// decompressed (RFC 7516 §5.2 step 18) and no extension is critical (§4.1.13).
func TestRefusedMembers(t *testing.T) {
	for name, value := range map[string]string{
		"zip": `"DEF"`, "crit": `["exp"]`, "jku": `"https://attacker.example/keys"`,
		"jwk": `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, "x5u": `"https://attacker.example/cert"`,
		"x5c": `["MIIB"]`, "x5t": `"AA"`, "x5t#S256": `"AA"`,
		"epk": `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, "apu": `"QQ"`, "apv": `"Qg"`,
		"iv": `"AAAAAAAAAAAAAAAA"`, "tag": `"AAAAAAAAAAAAAAAAAAAAAA"`,
		"p2s": `"AAAAAAAAAAA"`, "p2c": `1000000000`, "b64": `false`, "url": `"https://e.example"`, "nonce": `"AA"`,
		"iss": `"a"`, "sub": `"a"`, "aud": `"a"`, "svt": `[]`, "ppt": `"shaken"`, "iat": `1`, "exp": `1`,
		"skid": `"k"`, "iheSSId": `"x"`, "trust_chain": `[]`,
	} {
		for _, v := range []string{value, `"text"`, `null`} {
			for _, header := range []string{
				`{"alg":"RSA-OAEP-256","enc":"A256GCM","` + name + `":` + v + `}`,
				`{"` + name + `":` + v + `,"alg":"RSA-OAEP-256","enc":"A256GCM"}`,
			} {
				_, err := jwe.Parse([]byte(withHeader(header)))
				refuse(t, header, err, `member "`+name+`" is not accepted`)
			}
		}
	}
}

// TestHeaderIsAuthenticatedAsReceived puts other spellings of the same header in
// front of a message (RFC 7516 §5.2 steps 15 to 17: the associated data is what
// was received, not what it means).
func TestHeaderIsAuthenticatedAsReceived(t *testing.T) {
	parts := forgery{content: []byte("content")}.parts(rsaKey())
	for _, header := range []string{
		`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`,
		`{"enc":"A256GCM","alg":"RSA-OAEP-256" }`,
		`{"enc":"A256GCM","\u0061lg":"RSA-OAEP-256"}`,
		`{"enc":"A256GCM","alg":"RSA-OAEP-256","kid":""}`,
		honestHeader + "\n",
	} {
		parts[0] = b64([]byte(header))
		_, err := open(private(rsaKey()), joined(parts))
		refuse(t, header, err, "tag does not match")
	}
	parts[0] = b64([]byte(honestHeader))
	if _, err := open(private(rsaKey()), joined(parts)); err != nil {
		t.Errorf("as it was sealed: %v", err)
	}
}

// TestSuiteIsTheHeaders: what is used is what the header names, as far as the key
// allows it, and the key is not touched otherwise (RFC 7516 §11.4: restrict a key
// to few algorithms).
func TestSuiteIsTheHeaders(t *testing.T) {
	for _, allowed := range suites() {
		set := must(alg.ParseSet([]string{allowed.Key.String()}, []string{allowed.Enc.String()}))
		for _, s := range suites() {
			c := &counter{key: rsaKey()}
			token := must(jwe.Seal(nil, public(rsaKey()), s, []byte("content")))
			_, err := open(privateFor(c, set), string(token))
			switch {
			case s == allowed && (err != nil || c.ops.Load() != 1):
				t.Errorf("%v: %v after %d operations", s, err, c.ops.Load())
			case s != allowed && (!errors.Is(err, jwe.ErrOpen) || c.ops.Load() != 0):
				t.Errorf("%v under a key for %v: %v after %d operations", s, allowed, err, c.ops.Load())
			}
		}
	}
}

// TestHostileSizesCostNothing sends a megabyte where a header is expected. The
// work is counted in bytes allocated, which must not grow with the message.
func TestHostileSizesCostNothing(t *testing.T) {
	const mega = 1 << 20
	tail := joined(forgery{}.parts(rsaKey())[1:])
	for name, token := range map[string]string{
		"a header of a megabyte":         b64([]byte(`{"alg":"`+strings.Repeat("x", mega)+`"}`)) + "." + tail,
		"a header of 1025 bytes":         strings.Repeat("e", 1025) + "." + tail,
		"a header of a million members":  b64([]byte("{"+strings.Repeat(`"kid":"",`, mega/8))) + "." + tail,
		"a million dots":                 strings.Repeat(".", mega),
		"a message and a million dots":   withHeader(honestHeader) + strings.Repeat(".", mega),
		"a megabyte without a dot":       strings.Repeat("e", mega),
		"a megabyte of open brackets":    b64([]byte(strings.Repeat("[", mega))) + "." + tail,
		"a header of 1024 open brackets": b64([]byte(`{"kid":`+strings.Repeat("[", 700))) + "." + tail,
	} {
		input := []byte(token)
		allocated := bytesAllocated(func() {
			_, err := jwe.Parse(input)
			refuse(t, name, err, "")
		})
		t.Logf("%s: %d bytes allocated for %d received", name, allocated, len(input))
		if allocated > 64<<10 {
			t.Errorf("%s: %d bytes were allocated", name, allocated)
		}
	}
}

// bytesAllocated counts what f allocates, at its least of some runs: other
// goroutines may allocate too.
func bytesAllocated(f func()) uint64 {
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}
