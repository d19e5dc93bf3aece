package jwe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"kmproxy/crypto/jwe"
	"kmproxy/crypto/sensitive/sensitivetest"
)

func opened(t *testing.T, content string) jwe.Plaintext {
	t.Helper()
	p, err := open(private(rsaKey()), forgery{content: []byte(content)}.token(rsaKey()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// panics tells whether f does.
func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// TestZeroPlaintextPanics, so that nothing unopened is taken for a body.
func TestZeroPlaintextPanics(t *testing.T) {
	var zero jwe.Plaintext
	if !panics(func() { zero.Bytes() }) {
		t.Error("the zero plaintext has bytes")
	}
	_, err := open(private(rsaKey()), "no message")
	failed, _ := open(private(rsaKey()), "no message")
	if err == nil || !panics(func() { failed.Bytes() }) {
		t.Error("what came with an error has bytes")
	}
}

func TestEmptyPlaintextIsOpened(t *testing.T) {
	p := opened(t, "")
	if b := p.Bytes(); b == nil || len(b) != 0 {
		t.Errorf("got %v", b)
	}
}

// TestMessageOpensAgain: opening leaves a message as it was, and two
// plaintexts of it are two.
func TestMessageOpensAgain(t *testing.T) {
	m := must(jwe.Parse([]byte(forgery{content: []byte("content")}.token(rsaKey()))))
	first := must(jwe.Open(private(rsaKey()), m))
	second := must(jwe.Open(private(rsaKey()), m))
	if _, err := jwe.Open(private(otherKey()), m); err == nil {
		t.Error("another key opens it")
	}
	clear(first.Bytes())
	if string(second.Bytes()) != "content" {
		t.Errorf("the second is %q", second.Bytes())
	}
}

// TestParseInto: a message in lent memory opens once, in that memory and nowhere
// else, to the same content, and the token stays as it was.
func TestParseInto(t *testing.T) {
	content := bytes.Repeat([]byte("content"), 100)
	token := []byte(forgery{content: content}.token(rsaKey()))
	before := bytes.Clone(token)
	room := make([]byte, jwe.RoomFor(token))
	m := must(jwe.ParseInto(room, token))
	plain := must(jwe.Open(private(rsaKey()), m))
	if !bytes.Equal(plain.Bytes(), content) || !bytes.Contains(room, content) {
		t.Errorf("it opens to %q", plain.Bytes())
	}
	if !bytes.Equal(token, before) {
		t.Error("the token was changed")
	}
	if _, err := jwe.Open(private(rsaKey()), m); !errors.Is(err, jwe.ErrOpen) || bytes.Contains(room, content[:7]) {
		t.Errorf("a second time: %v", err)
	}
}

func TestPlaintextPrintsNowhere(t *testing.T) {
	const secret = `{"accountNo":"110-123-456789"}`
	p := opened(t, secret)
	for _, v := range []any{p, &p, struct{ hidden jwe.Plaintext }{p}, []jwe.Plaintext{p}} {
		sensitivetest.Hidden(t, []byte(secret), v)
	}
	asJSON, err := json.Marshal(p)
	for how, got := range map[string]string{
		"%v": fmt.Sprintf("%v", p), "%#v": fmt.Sprintf("%#v", p), "%x": fmt.Sprintf("%x", p), "String": p.String(),
		"GoString": p.GoString(), "slog": p.LogValue().String(), "JSON": string(bytes.Trim(asJSON, `"`)),
	} {
		if got != "[redacted]" || err != nil {
			t.Errorf("%s: got %s, %v", how, got, err)
		}
	}
}

// TestMessagePrintsNoPlaintext looks at a message, and at the key, after opening.
func TestMessagePrintsNoPlaintext(t *testing.T) {
	const secret = `{"accountNo":"110-123-456789"}`
	key := private(rsaKey())
	m := must(jwe.Parse([]byte(forgery{content: []byte(secret)}.token(rsaKey()))))
	must(jwe.Open(key, m))
	sensitivetest.Hidden(t, []byte(secret), m)
	sensitivetest.Hidden(t, rsaKey().D.Bytes(), struct {
		m   jwe.Message
		key any
	}{m, key})
}

// TestErrorsPrintNoSecret: neither the content nor what it was sealed to.
func TestErrorsPrintNoSecret(t *testing.T) {
	const secret = `{"accountNo":"110-123-456789"}`
	for _, f := range failures([]byte(secret)) {
		_, err := open(private(rsaKey()), f.token)
		sensitivetest.Hidden(t, []byte(secret), err)
		sensitivetest.Hidden(t, rsaKey().D.Bytes(), err)
		break // any one: TestOneFailure has shown that they print the same
	}
}
