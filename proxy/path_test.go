package proxy_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/proxy"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

// oddBodies must arrive byte for byte.
var oddBodies = []string{
	`{"userId":1}`,
	`{"userId":9999999999999999999}`,
	" {\t\"userId\" :\r\n 9999999999999999999 } \n",
	`{"name":"\u00e9\ud55c\/","n":1.0e+2,"n":1}`,
	`{"이름":"홍길동"}`,
	`"not an object"`,
}

func TestWholePath(t *testing.T) {
	p := proxytest.Start(t)
	for _, suite := range []alg.Suite{
		{Key: alg.RSAOAEP, Enc: alg.A128GCM}, {Key: alg.RSAOAEP, Enc: alg.A256GCM},
		{Key: alg.RSAOAEP256, Enc: alg.A128GCM}, {Key: alg.RSAOAEP256, Enc: alg.A256GCM},
	} {
		for _, body := range oddBodies {
			p.Caller.Suite = suite
			x, err := p.Caller.Call(t.Context(), proxytest.ARSPath, []byte(body))
			if err != nil {
				t.Fatalf("%s %s: %v", suite, body, err)
			}
			if got := p.Upstream.Last(t); string(got.Body) != body {
				t.Errorf("%s: upstream got %q, want %q", suite, got.Body, body)
			}
			if x.Status != http.StatusOK || !x.Encrypted || strings.TrimRight(string(x.Plaintext), " ") != proxytest.Answer {
				t.Errorf("%s: status %d, encrypted %t, plaintext %q", suite, x.Status, x.Encrypted, x.Plaintext)
			}
			if len(x.Plaintext)%256 != 0 {
				t.Errorf("%s: plaintext of %d bytes is not padded to 256", suite, len(x.Plaintext))
			}
			if got := x.AnswerHeader.Get("X-KM-Crypto-Key-Id"); got != string(p.Caller.KeyID) {
				t.Errorf("answer names key %q, want %q", got, p.Caller.KeyID)
			}
			if got, want := x.AnswerHeader.Get("X-KM-Correlation-Id"), x.RequestHeader[kona.Written(kona.HeaderCorrelationID)][0]; got != want {
				t.Errorf("answer's correlation id is %q, want %q", got, want)
			}
			if got := x.AnswerHeader.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q", got)
			}
		}
	}
}

func TestPlainPath(t *testing.T) {
	p := proxytest.Start(t, func(c *proxy.Config) { c.BasePath = "/open-api" })
	for _, body := range append(oddBodies, "", `{"other":{"encData":"x"}}`) {
		x, err := p.Caller.Send(t.Context(), "/open-api"+proxytest.ARSPath+"?a=1&b=%zz;c", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		got := p.Upstream.Last(t)
		if string(got.Body) != body || got.URI != proxytest.ARSPath+"?a=1&b=%zz;c" {
			t.Errorf("upstream got %s %q, want %q", got.URI, got.Body, body)
		}
		if x.Status != http.StatusOK || x.Encrypted || !bytes.Equal(x.AnswerBody, []byte(proxytest.Answer)) {
			t.Errorf("%q: status %d, encrypted %t, body %q", body, x.Status, x.Encrypted, x.AnswerBody)
		}
	}
}
