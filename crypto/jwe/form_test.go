package jwe_test

import (
	"fmt"
	"strings"
	"testing"

	"kmproxy/crypto/jwe"
)

// TestFiveParts: a compact JWE is five parts and four dots (RFC 7516 §5.2 step 1,
// §7.1), never its JSON serialization (§7.2), nor something that is both.
func TestFiveParts(t *testing.T) {
	p := forgery{content: []byte("content")}.parts(rsaKey())
	good := joined(p)
	flattened := fmt.Sprintf(`{"protected":%q,"encrypted_key":%q,"iv":%q,"ciphertext":%q,"tag":%q}`, p[0], p[1], p[2], p[3], p[4])
	general := fmt.Sprintf(`{"protected":%q,"recipients":[{"encrypted_key":%q}],"iv":%q,"ciphertext":%q,"tag":%q}`, p[0], p[1], p[2], p[3], p[4])
	for name, token := range map[string]string{
		"nothing":                  "",
		"a dot":                    ".",
		"three dots":               "...",
		"four dots":                "....",
		"five dots":                ".....",
		"one part":                 p[0],
		"a JWS of three parts":     strings.Join(p[:3], "."),
		"four parts":               strings.Join(p[:4], "."),
		"six parts":                good + ".AAAA",
		"an empty sixth part":      good + ".",
		"an empty first part":      "." + good,
		"no header":                "." + strings.Join(p[1:], "."),
		"two messages":             good + "." + good,
		"flattened JSON":           flattened,
		"general JSON":             general,
		"JSON behind the message":  good + flattened,
		"JSON before the message":  flattened + good,
		"JSON that is five parts":  `{"protected":"` + p[0] + `"}....`,
		"a polyglot in the header": `{"protected":"` + good + `"}`,
		"quotation marks":          `"` + good + `"`,
		"a space before":           " " + good,
		"a line break before":      "\n" + good,
		"a byte order mark":        "\ufeff" + good,
		"a scheme":                 "Bearer " + good,
		"an encoded message":       b64([]byte(good)) + "....",
		"other separators":         strings.ReplaceAll(good, ".", "~"),
		"full-width stops":         strings.ReplaceAll(good, ".", "\uff0e"),
	} {
		_, err := open(private(rsaKey()), token)
		refuse(t, name, err, "")
	}
	if _, err := open(private(rsaKey()), good); err != nil {
		t.Errorf("five parts: %v", err)
	}
}

// spellings are other spellings of a part that lenient decoders read as the same
// bytes, or nearly (RFC 7515 §2: no padding, line breaks, white space or other
// characters).
func spellings(part string) map[string]string {
	out := map[string]string{
		"padded":                   part + strings.Repeat("=", (4-len(part)%4)%4),
		"a padding character":      part + "=",
		"a line break at its end":  part + "\n",
		"a line break before":      "\n" + part,
		"CRLF at its end":          part + "\r\n",
		"a carriage return":        part[:4] + "\r" + part[4:],
		"a line break inside":      part[:4] + "\n" + part[4:],
		"a line break for a digit": part[:4] + "\n" + part[5:],
		"four line breaks":         part[:4] + "\n\n\n\n" + part[4:],
		"a space inside":           part[:4] + " " + part[4:],
		"a space at its end":       part + " ",
		"a tab":                    part[:4] + "\t" + part[4:],
		"a NUL":                    part + "\x00",
		"the standard alphabet +":  part[:4] + "+" + part[5:],
		"the standard alphabet /":  part[:4] + "/" + part[5:],
		"a percent escape":         part[:4] + "%41" + part[5:],
		"a letter beyond ASCII":    part[:4] + "é" + part[6:],
		"a digit less":             part[:len(part)-1],
		"a digit more":             part + "A",
	}
	if len(part)%4 == 0 {
		delete(out, "padded") // which would be the same
	} else {
		const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(digits, part[len(part)-1])
		out["a last digit with trailing bits"] = part[:len(part)-1] + digits[last+1:last+2]
	}
	return out
}

// TestStrictBase64URL tries them on each part (RFC 7516 §5.2 step 2). A header is
// refused at once, any other part at the cost of any failure.
func TestStrictBase64URL(t *testing.T) {
	parts := forgery{content: []byte("eleven more")}.parts(rsaKey())
	trailing := 0
	for i, name := range []string{"header", "encrypted key", "IV", "ciphertext", "tag"} {
		for how, spelling := range spellings(parts[i]) {
			if strings.Contains(how, "trailing bits") {
				trailing++
			}
			changed := append([]string(nil), parts...)
			changed[i] = spelling
			token := []byte(joined(changed))
			c := &counter{key: rsaKey()}
			m, err := jwe.Parse(token)
			if i == 0 {
				says := "canonical base64url"
				if how == "a digit more" { // which makes a byte more
					says = "behind the header"
				}
				refuse(t, "header, "+how, err, says)
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: refused before it cost anything: %s", name, how, jwe.Reason(err))
				continue
			}
			_, err = jwe.Open(private(c), m)
			if how != "a digit more" && how != "a digit less" { // which may be other bytes, well spelled
				refuse(t, name+", "+how, err, "the "+name+" is not")
				refuse(t, name+", "+how, err, "canonical base64url")
			}
			if c.ops.Load() != 1 {
				t.Errorf("%s, %s: %d private operations", name, how, c.ops.Load())
			}
		}
	}
	if trailing != 4 { // 12 bytes of IV leave no bits over
		t.Errorf("trailing bits were tried on %d parts", trailing)
	}
	if _, err := open(private(rsaKey()), joined(parts)); err != nil {
		t.Errorf("as they were: %v", err)
	}
}

// TestMessageKeepsNothingOfTheToken changes the token's memory after Parse.
func TestMessageKeepsNothingOfTheToken(t *testing.T) {
	token := []byte(forgery{content: []byte("content")}.token(rsaKey()))
	m := must(jwe.Parse(token))
	clear(token)
	if got, err := jwe.Open(private(rsaKey()), m); err != nil || string(got.Bytes()) != "content" {
		t.Errorf("got %v: %s", err, jwe.Reason(err))
	}
}

// TestZeroMessage opens nothing, under no key.
func TestZeroMessage(t *testing.T) {
	c := &counter{key: rsaKey()}
	if _, err := jwe.Open(private(c), jwe.Message{}); err == nil || c.ops.Load() != 0 {
		t.Errorf("got %v after %d operations", err, c.ops.Load())
	}
	if jwe.Message.Suite(jwe.Message{}).Valid() {
		t.Error("it has a valid suite")
	}
}
