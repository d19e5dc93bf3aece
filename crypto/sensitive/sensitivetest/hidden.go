// Package sensitivetest checks that a type does not print its secret.
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

// window is the number of consecutive bytes of a secret that count as a leak.
const window = 6

// Hidden fails the test if v, or a value that contains v, prints secret with any fmt
// verb, in the text of a panic, as JSON or XML, or in a log. The secret must have at
// least 6 bytes, and they must not occur by chance.
func Hidden(t testing.TB, secret []byte, v any) {
	t.Helper()
	if len(secret) < window {
		t.Fatalf("a secret of %d bytes is too short: it could occur by chance", len(secret))
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
				return // one leak is enough
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d ways to print were tried, want at least 1000", tried)
	}
}

// spellings returns the forms in which bytes are commonly printed.
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

// printed yields the output of every printer for v, alone and inside other values.
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

// places puts v where printers treat it differently: they cannot call the methods of a
// value in an unexported field.
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
