package kona_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kmproxy/proxy/kona"
)

const bom = "\ufeff"

// wrappers are good ones and the token in them.
var wrappers = map[string]string{
	`{"encData":"eyJ.a.b-_.C9.z"}`:                          "eyJ.a.b-_.C9.z",
	`{"encData":"a"}`:                                       "a",
	`{"encData":"...."}`:                                    "....",
	"{\"encData\":\"a\"}\n":                                 "a",
	" \t\r\n{ \t\r\n\"encData\" : \"a\" \t\r\n} \t\r\n":     "a",
	`{"encData":"` + strings.Repeat("Az0-_.", 1<<15) + `"}`: strings.Repeat("Az0-_.", 1<<15),
}

// misshapen are bodies with an encData member that are no wrapper: they are
// encrypted bodies, and bad ones.
var misshapen = []string{
	// other spellings of the name
	`{"encdata":"a"}`, `{"ENCDATA":"a"}`, `{"EncData":"a"}`, `{"encDatA":"a"}`,
	`{"encDat\u0061":"a"}`, `{"\u0065\u006e\u0063\u0044\u0061\u0074\u0061":"a"}`, `{"\u0045ncdata":"a"}`,
	// other values
	`{"encData":""}`, `{"encData":null}`, `{"encData":1}`, `{"encData":true}`, `{"encData":{"a":"b"}}`, `{"encData":["a"]}`,
	`{"encData":a}`, `{"encData":'a'}`, `{"encData":"a" "b"}`, `{"encData":"a"+"b"}`,
	// strings that no compact JWE is
	`{"encData":"\u0061"}`, `{"encData":"a\n"}`, `{"encData":"a="}`, `{"encData":"a+"}`, `{"encData":"a/"}`, `{"encData":"a b"}`,
	`{"encData":" a"}`, "{\"encData\":\"a\nb\"}", "{\"encData\":\"a\x00\"}", `{"encData":"é"}`, "{\"encData\":\"\xff\"}", `{"encData":"a\""}`,
	// more members, in front and behind, the same one too
	`{"encData":"a","encData":"b"}`, `{"encData":"a","encData":"a"}`, `{"encData":"a","ENCDATA":"b"}`, `{"ENCDATA":"b","encData":"a"}`,
	`{"encData":"a","x":1}`, `{"x":1,"encData":"a"}`, `{"x":{"y":[1,"}",{}]},"encData":"a"}`, `{"x":"\"","encData":"a"}`,
	`{"":"","encData":"a"}`, `{"x":"encData","encData":"a"}`, `{"a":1, "b":2 , "c":3 ,"encData":"a"}`,
	// something behind it
	`{"encData":"a"}{}`, `{"encData":"a"}{"encData":"b"}`, `{"encData":"a"}x`, `{"encData":"a"},`, `{"encData":"a"}]`,
	"{\"encData\":\"a\"}\x00", "{\"encData\":\"a\"}" + bom, "{\"encData\":\"a\"}\u00a0", "{\"encData\":\"a\"}\v", `{"encData":"a"}//`,
	`{"encData":"a",}`, `{"encData":"a"},{}`,
	// something in front of it
	bom + `{"encData":"a"}`, bom + ` {"encData":"a"}`,
	// cut short
	`{"encData"`, `{"encData":`, `{"encData":"`, `{"encData":"a`, `{"encData":"a"`, `{"encData" "a"}`, `{"encData",`, `{"encData"}`,
	// not JSON in front of the member
	`{"x":tru,"encData":"a"}`, `{"x":[},"encData":"a"}`, `{"x","encData":"a"}`,
}

// plain are bodies without such a member at the top of one object. They are
// forwarded unread.
var plain = []string{
	"", " ", bom, "{", "}", "{}", "{ }", "null", "1", `"encData"`, `"{\"encData\":\"a\"}"`, "[]", `[{"encData":"a"}]`, `["encData"]`,
	`{"userId":1}`, `{"x":{"encData":"a"}}`, `{"x":[{"encData":"a"}]}`, `{"x":"encData"}`, `{"x":"{\"encData\":\"a\"}"}`,
	`{"encData2":"a"}`, `{"encDat":"a"}`, `{"enc-data":"a"}`, `{" encData":"a"}`, `{"encData ":"a"}`, `{"encData\u0000":"a"}`,
	`{"enc_data":"a"}`, `{"encD\u00e4ta":"a"}`, "{\"encData\xff\":\"a\"}", `{"encD\a":"a"}`,
	`{"x":1} {"encData":"a"}`, `{}{"encData":"a"}`, `{"x":1},"encData":"a"`, `x{"encData":"a"}`, "\x00{\"encData\":\"a\"}", "\v{\"encData\":\"a\"}",
	`{encData:"a"}`, `{'encData':"a"}`, `{"encData`, `{"x`, `{"x\`, `{"x":"`, `{"x":"\`, `{"x":{`, `{"x":}`, `{,"encData":"a"}`,
	"eyJ.a.b.c.d", "encData=a", "<encData>a</encData>", "\x1f\x8b\x08",
	"{\x00\"\x00e\x00n\x00c\x00D\x00a\x00t\x00a\x00\"\x00:\x001\x00}\x00",
	strings.Repeat("[", 1<<16), strings.Repeat(`{"x":`, 1<<16), strings.Repeat("\\", 1<<16),
}

func TestToken(t *testing.T) {
	for body, want := range wrappers {
		got, err := kona.Unwrap([]byte(body))
		if err != nil || string(got) != want {
			t.Errorf("%.80q: got %.80q, %v", body, got, err)
		}
		if !kona.IsEncrypted([]byte(body)) {
			t.Errorf("%.80q is not taken for encrypted", body)
		}
	}
}

func TestMisshapen(t *testing.T) {
	for _, body := range misshapen {
		if !kona.IsEncrypted([]byte(body)) {
			t.Errorf("%q passes for a plain body", body)
		}
		if got, err := kona.Unwrap([]byte(body)); !errors.Is(err, kona.ErrWrapper) || got != nil {
			t.Errorf("%q: got %q, %v", body, got, err)
		}
	}
}

func TestPlain(t *testing.T) {
	for _, body := range plain {
		if kona.IsEncrypted([]byte(body)) {
			t.Errorf("%.80q is taken for encrypted", body)
		}
		if got, err := kona.Unwrap([]byte(body)); !errors.Is(err, kona.ErrWrapper) || got != nil {
			t.Errorf("%.80q: got %q, %v", body, got, err)
		}
	}
}

// TestEveryLetterCase goes through all 128 of them, each letter as it is and
// escaped: one is the name, all the others look like it.
func TestEveryLetterCase(t *testing.T) {
	const name = "encData"
	for bits := range 1 << len(name) {
		spelled := []byte(strings.ToLower(name))
		for i := range spelled {
			if bits&(1<<i) != 0 {
				spelled[i] ^= 0x20
			}
		}
		body := `{"` + string(spelled) + `":"a"}`
		if !kona.IsEncrypted([]byte(body)) {
			t.Errorf("%s passes for a plain body", body)
		}
		if _, err := kona.Unwrap([]byte(body)); (err == nil) != (string(spelled) == name) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestCutAnywhere: no beginning of a wrapper is one.
func TestCutAnywhere(t *testing.T) {
	const whole = ` { "encData" : "eyJ.a.b.c.d" }`
	for n := range len(whole) {
		if _, err := kona.Unwrap([]byte(whole[:n])); !errors.Is(err, kona.ErrWrapper) {
			t.Errorf("%q: %v", whole[:n], err)
		}
		if want := n >= len(` { "encData"`); kona.IsEncrypted([]byte(whole[:n])) != want {
			t.Errorf("%q is encrypted: %t", whole[:n], !want)
		}
	}
}

// TestOneByteMore puts every byte at every place of a wrapper: outside the token
// only white space may be added.
func TestOneByteMore(t *testing.T) {
	const whole = `{"encData":"eyJ.a"}`
	const tokenFrom, tokenTo = len(`{"encData":"`), len(`{"encData":"eyJ.a`)
	compact := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	insideName := func(at int) bool { return at > len(`{`) && at < len(`{"encData"`) }
	for at := range len(whole) + 1 {
		for c := range 256 {
			body := slices.Concat([]byte(whole[:at]), []byte{byte(c)}, []byte(whole[at:]))
			inToken := at >= tokenFrom && at <= tokenTo
			blank := strings.IndexByte(" \t\r\n", byte(c)) >= 0
			want := inToken && strings.IndexByte(compact, byte(c)) >= 0 || !inToken && !insideName(at) && blank
			if _, err := kona.Unwrap(body); (err == nil) != want {
				t.Errorf("%q: %v", body, err)
			}
		}
	}
}

// TestRoundTrip: what Wrap makes is a wrapper, and JSON, around the same token.
func TestRoundTrip(t *testing.T) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		token := make([]byte, 1+random.IntN(300))
		for i := range token {
			token[i] = letters[random.IntN(len(letters))]
		}
		body, err := kona.Wrap(nil, func(dst []byte) ([]byte, error) { return append(dst, token...), nil })
		if err != nil {
			t.Fatal(err)
		}
		got, err := kona.Unwrap(body)
		if err != nil || !bytes.Equal(got, token) || !kona.IsEncrypted(body) {
			t.Fatalf("%q: got %q, %v", body, got, err)
		}
		var parsed map[string]string
		if err := json.Unmarshal(body, &parsed); err != nil || len(parsed) != 1 || parsed["encData"] != string(token) {
			t.Fatalf("%q: JSON says %q, %v", body, parsed, err)
		}
	}
}

func TestWrapPassesErrors(t *testing.T) {
	failed := errors.New("no seal")
	if body, err := kona.Wrap(nil, func([]byte) ([]byte, error) { return nil, failed }); !errors.Is(err, failed) || body != nil {
		t.Errorf("got %q, %v", body, err)
	}
}
