package kona_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/kona"
)

var (
	jweHead = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`))
	jweText = jweHead + "." + strings.Repeat("Az0-_", 60) + ".AAAAAAAAAAAAAAAA.Y2lwaGVy.AAAAAAAAAAAAAAAAAAAAAA"
)

// TestMiswrapped: what a client sends that has built its wrapper wrongly.
func TestMiswrapped(t *testing.T) {
	spaced := base64.RawURLEncoding.EncodeToString([]byte("\n{ \"enc\" : \"A128GCM\", \"alg\":\"RSA-OAEP\" }"))
	padded := strings.Replace(jweText, ".", "==.", 1) + "=="
	for _, body := range []string{
		jweText, jweText + "\n", " \t\r\n" + jweText, bom + jweText, `"` + jweText + `"`, ` "` + jweText + "\" \n", `["` + jweText + `"]`, `[ "` + jweText + `" ] `,
		`{"data":"` + jweText + `"}`, `{"":"` + jweText + `"}`, `{"enc_data":"` + jweText + `"}`, `{"encData2":"` + jweText + `"}`, `{"x":{"y":"` + jweText + `"}}`,
		`[{"encData":"` + jweText + `"}]`, `{"body":{"encData":"` + jweText + `"}}`, `{"a":["` + jweText + `"]}`, `[["` + jweText + `"]]`, bom + `{"data":"` + jweText + `"}`,
		`{"data":"` + padded + `"}`, padded, `{"data":"` + strings.ReplaceAll(jweText, "_", `\/`) + `"}`, strings.NewReplacer("-", "+", "_", "/").Replace(jweText),
		spaced + ".a.b.c.d", `{"data":"` + spaced + `.a.b.c.d"}`, jweHead + "..a.b.c", strings.ReplaceAll(jweText, "Az0", "Az0\r\n"), `{"data":"` + strings.ReplaceAll(jweText, "Az0", `Az0\r\n`) + `"}`,
		`{"data":"` + strings.ReplaceAll(padded, "=", `\u003d`) + `"}`,
	} {
		if kona.IsEncrypted([]byte(body)) || !kona.IsMiswrapped([]byte(body)) {
			t.Errorf("%.120q passes for a plain body", body)
		}
	}
}

// TestHonestPlain: bodies that hold something else are forwarded, whatever it looks like.
func TestHonestPlain(t *testing.T) {
	jws := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + ".e30.AAAA"
	for _, body := range append([]string{
		jws, `{"data":"` + jws + `"}`, `{"data":"` + jweText + `","x":1}`, `{"x":1,"data":"` + jweText + `"}`, `["` + jweText + `",""]`, `["","` + jweText + `"]`,
		`{"data":"a ` + jweText + `"}`, `{"data":"` + jweText + ` a"}`, `{"data":"` + jweText + `.a"}`, jweHead + ".a.b.c", `{"data":"` + jweHead + `"}`,
		`"a.b.c.d.e"`, `a.b.c.d.e`, `{"version":"e1.2.3.4.5"}`, `{"data":"` + jweText, `{"data":"` + jweText + `"`, `{"data":"` + jweText + `"]`, `{"data":` + jweText + `}`,
		jweText + "\x00", "x=" + jweText, `{"data" "` + jweText + `"}`, `{"` + jweText + `":1}`, `["` + jweText + `"] []`,
		strings.Repeat("[", 40) + `"` + jweText + `"` + strings.Repeat("]", 40),
	}, plain...) {
		if kona.IsMiswrapped([]byte(body)) {
			t.Errorf("%.120q does not pass", body)
		}
	}
}

// TestPlainIsNotRead: of a large plain body a small part is looked at: far less than
// is for the member's name.
func TestPlainIsNotRead(t *testing.T) {
	for _, first := range []string{`{"memo":"`, `{"memo":["`, `{"memo":"\\`} {
		body := []byte(first + strings.Repeat("eyJhbGciOiJ", 1<<17))
		part := spent(func() { kona.IsMiswrapped(body) })
		if whole := spent(func() { kona.IsEncrypted(body) }); part > whole/5 {
			t.Errorf("%s…: %v, and %v for all of it", first, part, whole)
		}
	}
}

// spent is the least time of several that act took.
func spent(act func()) time.Duration {
	least := time.Hour
	for range 20 {
		start := time.Now()
		act()
		least = min(least, time.Since(start))
	}
	return least
}
