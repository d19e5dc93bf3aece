package kona_test

import (
	"encoding/json"
	"strings"
	"testing"

	"kmproxy/proxy/kona"
)

// TestMiswrappedTexts: a wrapper that was written as JSON more than once, several of
// them, white space around a JWE, other names, and the JSON serialization.
func TestMiswrappedTexts(t *testing.T) {
	wrapper := `{"encData":"` + jweText + `"}`
	flat := `{"protected":"` + jweHead + `","encrypted_key":"AAAA","iv":"AAAA","ciphertext":"AAAA","tag":"AAAA"}`
	general := `{"ciphertext":"AAAA", "recipients" : [{"header":{"alg":"RSA-OAEP","a":["}"]},"encrypted_key":"AAAA"}],"iv":"AAAA","tag":"AAAA","protected":"` + jweHead + `"}`
	unprotected := `{"unprotected":{"alg":"RSA-OAEP","enc":"A256GCM"},"encrypted_key":"AAAA","iv":"AAAA","ciphertext":"AAAA","tag":"AAAA","aad":"AAAA"}`
	bodies := []string{
		`" ` + jweText + `"`, `"` + jweText + ` "`, `"\r\n\t` + jweText + `\r\n"`, `{"data":" ` + jweText + ` \n"}`, `"` + jweText + ` \t"`, "\r\n" + jweText + "\r\n",
		"[" + wrapper + "," + wrapper + "]", `["` + jweText + `" , "` + jweText + `"]`, flat, general, unprotected, `[` + flat + `]`, `{"data":` + general + `}`, " " + flat + "\n",
		strings.ReplaceAll(quoted(wrapper), `\"`, `\u0022`), `{"enc-data":"` + jweText + `"}`, `{"ENC_DATA":"` + jweText + `"}`,
	}
	for _, body := range bodies[:len(bodies):len(bodies)] {
		bodies = append(bodies, quoted(body), `{"data":`+quoted(body)+`}`, `[`+quoted(`{"a":`+quoted(body)+`}`)+`]`)
	}
	for _, text := range []string{wrapper, "\n" + wrapper, `{"EncData":"` + jweText + `"}`, `{"encdata":"` + jweText + `"}`, bom + wrapper} {
		bodies = append(bodies, quoted(text), `{"body":`+quoted(text)+`}`, `[`+quoted(text)+`]`, quoted(quoted(text)))
	}
	for _, body := range bodies {
		if kona.IsEncrypted([]byte(body)) || !kona.IsMiswrapped([]byte(body)) {
			t.Errorf("%.200q passes for a plain body", body)
		}
	}
}

// TestHonestTexts: JSON in strings, long texts with dots, and objects with members of
// the JSON serialization are forwarded.
func TestHonestTexts(t *testing.T) {
	wrapper := `{"encData":"` + jweText + `"}`
	deep := wrapper
	for range 6 {
		deep = quoted(deep)
	}
	for _, body := range []string{
		quoted(`{"userId":1}`), `{"memo":` + quoted(`{"userId":1,"text":"a.b.c.d.e"}`) + `}`, `{"memo":` + quoted(wrapper) + `,"userId":1}`, `{"memo":` + quoted(wrapper+" and more") + `}`,
		quoted(`say "` + jweText + `"`), `"{"`, `"{\"encData\":"`, `"\"`, `"\u007"`, `"`, `" `, `""`, `[]`, `[[]]`, `{}`, `[` + wrapper + `,1]`, `[` + wrapper + `,{}]`, `[` + wrapper, `[` + wrapper + `,`,
		`{"a":"` + jweText + `","b":"` + jweText + `"}`, `{"memo":"` + strings.Repeat("word. ", 5000) + `"}`, strings.Repeat("eyJh.", 4) + "x", `{"memo":"` + strings.Repeat("eyJhbGci.", 5000) + `"}`,
		`{"ciphertext":"AAAA","iv":"AAAA","tag":"AAAA"}`, `{"protected":"` + jweHead + `","signature":"AAAA","payload":"AAAA"}`, `{"protected":"` + jweHead + `","tag":"AAAA"}`,
		`{"protected":"e30","ciphertext":"AAAA"}`, `{"protected":"` + jweHead + `","ciphertext":"AAAA","userId":1}`, `{"protected":1,"ciphertext":"AAAA"}`, `{"ciphertext":"AAAA","protected":"`, deep,
	} {
		if kona.IsMiswrapped([]byte(body)) {
			t.Errorf("%.200q does not pass", body)
		}
	}
}

// quoted is a text as a JSON string.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(out)
}
