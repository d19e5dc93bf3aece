package proxy_test

import "strings"

// wrapperRows are authentic, name a good key, and are not exactly the wrapper.
// JWE is replaced by a good token.
func wrapperRows() []row {
	wrapped := func(text string) flaw {
		return func(w *world, r *request) {
			body(strings.ReplaceAll(text, "JWE", forged{plaintext: plaintext}.token(w)))(w, r)
		}
	}
	var rows []row
	for _, good := range []string{
		`{"encData":"JWE"}`, " {\t\"encData\" :\r\n\"JWE\" } \n",
		// no object with that member: plain bodies, which are forwarded unread
		`{} {"encData":"JWE"}`, `{"token":"JWE","userId":1}`, `["JWE","JWE.",1]`, `{"token":"JWE."}`, `{"token":"eyJhbGciOiJSUzI1NiJ9.e30.AAAA"}`,
	} {
		rows = append(rows, row{name: "good " + good, base: sealedRequest, flaws: []flaw{wrapped(good)}, want: passes})
	}
	for _, bad := range []string{
		// the name
		`{"ENCDATA":"JWE"}`, `{"encdata":"JWE"}`, `{"EncData":"JWE"}`, `{"encDat\u0061":"JWE"}`, `{"\u0045NCDATA":"JWE"}`,
		// the value
		`{"encData":null}`, `{"encData":""}`, `{"encData":1}`, `{"encData":["JWE"]}`, `{"encData":{"encData":"JWE"}}`, `{"encData":" JWE"}`,
		`{"encData":"JWE\n"}`, `{"encData":"JWE="}`, `{"encData":"\u0065JWE"}`, "{\"encData\":\"JWE\n\"}", `{"encData":"a\/b"}`,
		// JSON serialization of a JWE (RFC 7516 §7.2)
		`{"encData":{"protected":"e30","encrypted_key":"a","iv":"a","ciphertext":"a","tag":"a"}}`,
		// other members and doubles: two readers may choose differently
		`{"encData":"JWE","encData":"JWE"}`, `{"encData":"JWE","ENCDATA":"x"}`, `{"ENCDATA":"x","encData":"JWE"}`, `{"encData":"JWE","userId":1}`,
		`{"userId":1,"encData":"JWE"}`, `{"encData":"x","encData":"JWE"}`,
		// a JWE that is wrapped otherwise, or not at all
		`JWE`, "JWE\n", `"JWE"`, `["JWE"]`, `{"data":"JWE"}`, `{"encDatas":"JWE"}`, `{"enc_data":"JWE"}`, `{"x":{"encData":"JWE"}}`, `[{"encData":"JWE"}]`, `{"data":"JWE=="}`,
		`"{\"encData\":\"JWE\"}"`, `["JWE","JWE"]`,
		// around it
		`{"encData":"JWE"}{"userId":1}`, `{"encData":"JWE"} x`, `{"encData":"JWE"},`, "\ufeff{\"encData\":\"JWE\"}", "{\"encData\":\"JWE\"}\x00",
		`{"encData":"JWE",}`, `{"encData":"JWE"`, `{"encData":"JWE`, `{"encData"`, `{"encData":JWE}`,
	} {
		rows = append(rows, row{name: bad, base: sealedRequest, flaws: []flaw{wrapped(bad)}, want: invalid("encData")})
	}
	return rows
}
