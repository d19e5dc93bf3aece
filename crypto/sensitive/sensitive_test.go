package sensitive_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/sensitive/sensitivetest"
)

func TestBytesPrintNowhere(t *testing.T) {
	secret := []byte("\x01the secret key\xfe")
	s := sensitive.New(bytes.Clone(secret))
	sensitivetest.Hidden(t, secret, s)
	sensitivetest.Hidden(t, secret, &s)
	sensitivetest.Hidden(t, secret, struct{ hidden sensitive.Bytes }{s})
	sensitivetest.Hidden(t, secret, map[sensitive.Bytes]sensitive.Bytes{s: s})
}

func TestBytesPrintAsRedacted(t *testing.T) {
	s := sensitive.New([]byte("secret"))
	asJSON, err := json.Marshal(map[string]any{"key": s})
	if err != nil {
		t.Fatal(err)
	}
	for how, got := range map[string]string{
		"%v": fmt.Sprintf("%v", s), "%+v": fmt.Sprintf("%+v", s), "%#v": fmt.Sprintf("%#v", s),
		"%x": fmt.Sprintf("%x", s), "%q": fmt.Sprintf("%q", s), "%s": fmt.Sprintf("%s", s),
		"String": s.String(), "GoString": s.GoString(), "slog": s.LogValue().String(),
	} {
		if got != "[redacted]" {
			t.Errorf("%s: got %q", how, got)
		}
	}
	if want := `{"key":"[redacted]"}`; string(asJSON) != want {
		t.Errorf("JSON: got %s, want %s", asJSON, want)
	}
}

func TestZeroBytes(t *testing.T) {
	var s sensitive.Bytes
	if s.Len() != 0 || s.Expose() != nil || s.Equal([]byte("x")) || s.String() != sensitive.Redacted {
		t.Error("the zero value is not an empty secret")
	}
	s.Wipe() // does nothing
}

func TestEqual(t *testing.T) {
	s := sensitive.New([]byte("secret"))
	for other, want := range map[string]bool{
		"secret": true, "secreT": false, "Secret": false, "secre": false, "secrets": false, "": false,
	} {
		if got := s.Equal([]byte(other)); got != want {
			t.Errorf("Equal(%q): got %v, want %v", other, got, want)
		}
	}
}

func TestWipeClearsEveryCopy(t *testing.T) {
	memory := []byte("secret")
	s := sensitive.New(memory)
	other := s
	if !bytes.Equal(other.Expose(), []byte("secret")) || other.Len() != 6 {
		t.Fatal("a copy of the handle has another value")
	}
	s.Wipe()
	if !bytes.Equal(memory, make([]byte, 6)) {
		t.Errorf("the memory still holds %q", memory)
	}
	if s.Len() != 0 || other.Len() != 0 || other.Equal([]byte("secret")) {
		t.Error("a wiped secret is not empty")
	}
	s.Wipe() // a second time does nothing
}

func TestConcurrentReading(t *testing.T) {
	s := sensitive.New([]byte("secret"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if !s.Equal(s.Expose()) || fmt.Sprint(s) != sensitive.Redacted {
					t.Error("a concurrent reader saw another value")
				}
			}
		})
	}
	wg.Wait()
}
