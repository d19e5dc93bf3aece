// Package sensitivetest proves of a type that nothing prints its secret.
package sensitivetest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log"
	"log/slog"
	"math/big"
	"strings"
	"testing"
)

// window is how many bytes in a row of a secret count as the secret.
const window = 6

// Hidden fails the test if v, or anything v is put into, prints secret by any fmt
// verb, in a panic's text, as JSON or XML, or in a log. The secret has at least 6
// bytes, which should not occur by chance.
func Hidden(t testing.TB, secret []byte, v any) {
	t.Helper()
	if len(secret) < window {
		t.Fatalf("a secret of %d bytes would be found by chance", len(secret))
	}
	spellings := spellings(secret[:window])
	number := new(big.Int).SetBytes(secret)
	spellings["decimal"] = number.String()
	spellings["the words of a number"] = fmt.Sprint(uint64(number.Bits()[0]))
	tried := 0
	for how, text := range printed(v) {
		tried++
		for spelling, s := range spellings {
			if strings.Contains(text, s) {
				t.Errorf("%s shows the secret in %s: %.200s", how, spelling, text)
				return // one leak is enough to read
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d ways to print were tried", tried)
	}
}

// spellings are the forms in which bytes are commonly printed.
func spellings(b []byte) map[string]string {
	list := strings.Trim(fmt.Sprint(b), "[]")
	quoted := fmt.Sprintf("%q", b)
	return map[string]string{
		"plain":       string(b),
		"quotes":      quoted[1 : len(quoted)-1],
		"hex":         hex.EncodeToString(b),
		"upper hex":   strings.ToUpper(hex.EncodeToString(b)),
		"spaced hex":  fmt.Sprintf("% x", b),
		"base64":      base64.RawStdEncoding.EncodeToString(b),
		"base64url":   base64.RawURLEncoding.EncodeToString(b),
		"a list":      list,
		"a JSON list": strings.ReplaceAll(list, " ", ","),
		"Go syntax":   strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
		"octal":       strings.Trim(fmt.Sprintf("%o", b), "[]"),
		"binary":      strings.Trim(fmt.Sprintf("%b", b), "[]"),
		"runes":       strings.Trim(fmt.Sprintf("%U", b), "[]"),
	}
}

// printed yields what every printer makes of v, alone and inside other values.
func printed(v any) func(yield func(how, text string) bool) {
	return func(yield func(how, text string) bool) {
		for where, value := range places(v) {
			for _, flags := range []string{"", "+", "#", " ", "0", "-", "200", ".200", "+#"} {
				for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
					format := "%" + flags + string(verb)
					if !yield(format+" of "+where, fmt.Sprintf(format, value)) {
						return
					}
				}
			}
			for how, text := range encoded(value) {
				if !yield(how+" of "+where, text) {
					return
				}
			}
		}
	}
}

// places puts v where printers treat it in their own ways: they cannot call the
// methods of what lies in an unexported field.
func places(v any) map[string]any {
	return map[string]any{
		"the value":           v,
		"a pointer":           &v,
		"a slice":             []any{v},
		"a map":               map[string]any{"k": v},
		"an exported field":   struct{ Secret any }{v},
		"an unexported field": struct{ secret any }{v},
		"a nested pointer":    &struct{ inner any }{&struct{ secret any }{v}},
		"an error":            fmt.Errorf("failed with %v", v),
	}
}

func encoded(v any) map[string]string {
	out := map[string]string{}
	asJSON, err := json.Marshal(v)
	out["JSON"] = fmt.Sprintf("%s %v", asJSON, err)
	asXML, err := xml.Marshal(v)
	out["XML"] = fmt.Sprintf("%s %v", asXML, err)

	var text, lines, plain bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	slog.New(slog.NewJSONHandler(&lines, options)).Info("m", "k", v, slog.Group("g", "k", v))
	slog.New(slog.NewTextHandler(&text, options)).Info("m", "k", v, slog.Group("g", "k", v))
	log.New(&plain, "", 0).Println(v)
	out["a JSON log"], out["a text log"], out["a plain log"] = lines.String(), text.String(), plain.String()

	func() {
		defer func() { out["a panic"] = fmt.Sprint(recover()) }()
		panic(v)
	}()
	return out
}
