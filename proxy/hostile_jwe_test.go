package proxy_test

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"strings"
)

func jweRows() []row {
	var rows []row
	for name, f := range goodJWEs {
		f.plaintext = plaintext
		rows = append(rows, row{name: "good, " + name, base: sealedRequest, flaws: []flaw{sealed(f)}, want: passes})
	}
	for name, f := range headerFlaws() {
		rows = append(rows, row{name: "header: " + name, base: sealedRequest, flaws: []flaw{sealed(f)}, want: decryptFailed, alike: alikeJWE})
	}
	for name, f := range bodyFlaws() {
		f.plaintext = plaintext
		rows = append(rows, row{name: "parts: " + name, base: sealedRequest, flaws: []flaw{sealed(f)}, want: decryptFailed, alike: alikeJWE, rsa: true})
	}
	return rows
}

var goodJWEs = map[string]forged{
	"the usual one":       {},
	"SHA-256, 128 bits":   {header: oaep256GCM128},
	"SHA-1, 256 bits":     {header: oaepGCM256},
	"SHA-1, 128 bits":     {header: oaepGCM128},
	"what is ignored":     {header: `{"typ":"JWE","cty":"json","kid":"not a key id","alg":"RSA-OAEP","enc":"A128GCM"}`},
	"blanks in a header":  {header: " {\n\"alg\" : \"RSA-OAEP\" , \"enc\" : \"A128GCM\" } "},
	"an escape in a name": {header: `{"\u0061lg":"RSA-OAEP","enc":"A128GCM"}`},
}

// headerFlaws are refused before any key is touched: the header chooses nothing
// that the table of algorithms does not have, brings no key along, and asks for
// no work (RFC 8725 §3).
func headerFlaws() map[string]forged {
	with := func(member string) forged {
		return forged{header: `{"alg":"RSA-OAEP-256","enc":"A256GCM",` + member + `}`}
	}
	alg := func(name string) forged { return forged{header: `{"alg":"` + name + `","enc":"A256GCM"}`} }
	enc := func(name string) forged { return forged{header: `{"alg":"RSA-OAEP-256","enc":"` + name + `"}`} }
	flaws := map[string]forged{
		"RSA1_5": {header: `{"alg":"RSA1_5","enc":"A256GCM"}`, pkcs1: true},
		"PBES2":  {header: `{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2s":"AAAA","p2c":2147483647}`},
		"ECDH":   {header: `{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}`},
		"no alg": {header: `{"enc":"A256GCM"}`}, "no enc": {header: `{"alg":"RSA-OAEP-256"}`}, "no member": {header: `{}`},
		"alg is a number": {header: `{"alg":1,"enc":"A256GCM"}`}, "alg is null": {header: `{"alg":null,"enc":"A256GCM"}`},
		"alg is a list": {header: `{"alg":["RSA-OAEP-256"],"enc":"A256GCM"}`}, "kid is an object": with(`"kid":{}`),
		"alg twice":             {header: `{"alg":"RSA1_5","alg":"RSA-OAEP-256","enc":"A256GCM"}`},
		"alg twice, the same":   {header: `{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"}`},
		"alg twice, escaped":    {header: `{"alg":"RSA-OAEP-256","\u0061lg":"RSA1_5","enc":"A256GCM"}`},
		"enc twice":             with(`"enc":"A128GCM"`),
		"kid twice":             with(`"kid":"a","kid":"a"`),
		"ALG":                   {header: `{"ALG":"RSA-OAEP-256","enc":"A256GCM"}`},
		"also ALG":              with(`"ALG":"RSA1_5"`),
		"longer than a KiB":     with(`"kid":"` + strings.Repeat("a", 1024) + `"`),
		"a megabyte, nearly":    with(`"kid":"` + strings.Repeat("a", maxBody/2) + `"`),
		"nested a thousandfold": {header: strings.Repeat(`{"a":`, 150) + "1" + strings.Repeat("}", 150)},
		"not JSON":              {header: `alg=RSA-OAEP-256`}, "a list": {header: `["RSA-OAEP-256","A256GCM"]`}, "a string": {header: `"RSA-OAEP-256"`},
		"cut short": {header: `{"alg":"RSA-OAEP-256","enc":"A256GCM"`}, "something behind": {header: oaep256GCM256 + "{}"},
		"a zero byte behind": {header: oaep256GCM256 + "\x00"}, "a BOM before": {header: "\ufeff" + oaep256GCM256},
		"not UTF-8": with("\"kid\":\"\xff\""), "a comma behind": {header: `{"alg":"RSA-OAEP-256","enc":"A256GCM",}`},
		"empty":               {encoded: func(p *[5]string) { p[0] = "" }},
		"trailing bits":       {header: oaep256GCM256 + " ", encoded: func(p *[5]string) { p[0] = p[0][:len(p[0])-1] + "B" }},
		"of one character":    {encoded: func(p *[5]string) { p[0] = "e" }},
		"four parts":          {whole: func(s string) string { return s[:strings.LastIndexByte(s, '.')] }},
		"six parts":           {whole: func(s string) string { return s + "." }},
		"a JWS":               {whole: func(s string) string { return strings.Join(strings.Split(s, ".")[:3], ".") }},
		"no dot":              {whole: func(s string) string { return strings.ReplaceAll(s, ".", "") }},
		"fifty thousand dots": {whole: func(string) string { return strings.Repeat(".", 50000) }},
	}
	for _, name := range []string{"RSA-OAEP-384", "RSA-OAEP-512", "rsa-oaep-256", "RSA-OAEP-256 ", "dir", "none", "A128KW", "A256GCMKW", "HS256", ""} {
		flaws["alg "+name] = alg(name)
	}
	for _, name := range []string{"A128CBC-HS256", "A256CBC-HS512", "A192GCM", "a256gcm", "none", ""} {
		flaws["enc "+name] = enc(name)
	}
	for _, member := range []string{`"zip":"DEF"`, `"crit":["exp"]`, `"crit":[]`, `"b64":false`, `"p2c":1`, `"jku":"https://elsewhere.example/jwks"`, `"jwk":{"kty":"RSA"}`,
		`"x5u":"https://elsewhere.example/cert"`, `"x5c":["MIIB"]`, `"x5t":"AA"`, `"epk":{}`, `"apu":"AA"`, `"exp":1`, `"":""`, `"https://elsewhere.example":true`} {
		flaws[member] = with(member)
	}
	return flaws
}

// bodyFlaws have a good header. Whatever is wrong behind it, the private key is
// used once, and all answers are equal.
func bodyFlaws() map[string]forged {
	flaws := map[string]forged{
		"sealed to the client's key":     {toClient: true},
		"wrapped as RSA1_5":              {pkcs1: true},
		"SHA-1 under SHA-256's name":     {hash: crypto.SHA1},
		"SHA-256 under SHA-1's name":     {header: oaepGCM256, hash: crypto.SHA256},
		"MGF1 with SHA-1":                {mgf: crypto.SHA1},
		"32 bytes of key for A128GCM":    {header: oaep256GCM128, cek: random(32)},
		"16 bytes of key for A256GCM":    {header: oaep256GCM256, cek: random(16)},
		"24 bytes of key":                {header: oaep256GCM256, cek: random(24)},
		"no bytes of key":                {header: oaep256GCM128, cek: []byte{}},
		"33 bytes of key":                {header: oaep256GCM256, cek: random(33)},
		"tag of 12 bytes":                {tagLen: 12},
		"tag of 4 bytes":                 {tagLen: 4},
		"IV of 16 bytes":                 {ivLen: 16},
		"IV of 8 bytes":                  {ivLen: 8},
		"IV of 1 byte":                   {ivLen: 1},
		"another alg in the header":      {decoded: func(p *[5][]byte) { p[0] = []byte(oaepGCM256) }},
		"another enc in the header":      {decoded: func(p *[5][]byte) { p[0] = []byte(oaep256GCM128) }},
		"the header spelled differently": {decoded: func(p *[5][]byte) { p[0] = append(p[0], ' ') }},
		"no encrypted key":               {decoded: func(p *[5][]byte) { p[1] = nil }},
		"encrypted key, a byte short":    {decoded: func(p *[5][]byte) { p[1] = p[1][1:] }},
		"encrypted key, a byte long":     {decoded: func(p *[5][]byte) { p[1] = append([]byte{0}, p[1]...) }},
		"encrypted key of zeros":         {decoded: func(p *[5][]byte) { clear(p[1]) }},
		"encrypted key of one":           {decoded: func(p *[5][]byte) { clear(p[1]); p[1][255] = 1 }},
		"encrypted key past the modulus": {decoded: func(p *[5][]byte) {
			for i := range p[1] {
				p[1][i] = 0xff
			}
		}},
		"encrypted key of another size": {decoded: func(p *[5][]byte) { p[1] = random(512) }},
		"encrypted key of 30 KiB":       {decoded: func(p *[5][]byte) { p[1] = random(30 << 10) }},
		"random encrypted key":          {decoded: func(p *[5][]byte) { p[1] = append([]byte{0}, random(255)...) }},
		"no IV":                         {decoded: func(p *[5][]byte) { p[2] = nil }},
		"no tag":                        {decoded: func(p *[5][]byte) { p[4] = nil }},
		"tag, a byte more":              {decoded: func(p *[5][]byte) { p[4] = append(p[4], 0) }},
		"no ciphertext":                 {decoded: func(p *[5][]byte) { p[3] = nil }},
		"ciphertext, a byte short":      {decoded: func(p *[5][]byte) { p[3] = p[3][1:] }},
		"ciphertext, a byte more":       {decoded: func(p *[5][]byte) { p[3] = append(p[3], 0) }},
		"tag moved to the ciphertext":   {decoded: func(p *[5][]byte) { p[3], p[4] = append(p[3], p[4]...), nil }},
		"parts swapped":                 {decoded: func(p *[5][]byte) { p[2], p[4] = p[4], p[2] }},
		"every part empty":              {encoded: func(p *[5]string) { p[1], p[2], p[3], p[4] = "", "", "", "" }},
	}
	for i, part := range []string{1: "encrypted key", 2: "IV", 3: "ciphertext", 4: "tag"} {
		if part == "" {
			continue
		}
		for what, bit := range map[string]int{"first": 0, "last": -1} {
			flaws[fmt.Sprintf("%s's %s byte", part, what)] = forged{decoded: func(p *[5][]byte) { p[i] = flipped(p[i], bit) }}
		}
		flaws[part+" of one character"] = forged{encoded: func(p *[5]string) { p[i] = "A" }}
		flaws[part+" with a stray character"] = forged{encoded: func(p *[5]string) { p[i] += "AAA" }}
	}
	for i, part := range map[int]string{1: "encrypted key", 4: "tag"} { // whose last character has bits to spare
		flaws[part+"'s spare bits"] = forged{encoded: func(p *[5]string) { p[i] = spareBit(p[i]) }}
	}
	return flaws
}

// spareBit sets a bit that no byte has of the last character of a part.
func spareBit(part string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, part[len(part)-1])
	spared := part[:len(part)-1] + string(alphabet[last|1])
	if same, err := base64.RawURLEncoding.DecodeString(spared); err != nil || len(same) == 0 || spared == part {
		panic("no spare bit in " + part)
	}
	return spared
}
