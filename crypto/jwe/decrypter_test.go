package jwe_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
)

// hardware is a decrypter that changes the right answer.
type hardware struct {
	counter
	answer func(right []byte) ([]byte, error)
}

func (h *hardware) Decrypt(random io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	right, err := h.counter.Decrypt(random, msg, opts)
	if err != nil {
		return nil, err
	}
	return h.answer(right)
}

// TestHardwareOpens: a key need not be an *rsa.PrivateKey.
func TestHardwareOpens(t *testing.T) {
	for _, s := range suites() {
		h := &hardware{counter{key: rsaKey()}, func(right []byte) ([]byte, error) { return right, nil }}
		token := must(jwe.Seal(nil, public(rsaKey()), s, []byte("content")))
		got, err := open(private(h), string(token))
		if err != nil || string(got.Bytes()) != "content" || h.ops.Load() != 1 {
			t.Errorf("%v: %v: %s", s, err, jwe.Reason(err))
		}
	}
}

// TestHardwareIsAskedForOAEP: it gets the hash that alg demands, for OAEP and for
// MGF1, no label (RFC 7518 §4.3), and input of the modulus's length always.
func TestHardwareIsAskedForOAEP(t *testing.T) {
	for _, s := range suites() {
		spy := &spy{counter: counter{key: rsaKey()}}
		token := must(jwe.Seal(nil, public(rsaKey()), s, nil))
		if _, err := open(private(spy), string(token)); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		o, ok := spy.opts.(*rsa.OAEPOptions)
		if !ok || o.Hash != s.Key.Hash() || o.MGFHash != 0 && o.MGFHash != o.Hash || len(o.Label) != 0 {
			t.Errorf("%v: asked with %+v", s, spy.opts)
		}
	}
	for name, f := range failures([]byte("content")) {
		spy := &spy{counter: counter{key: rsaKey()}}
		if _, err := open(private(spy), f.token); err == nil || len(spy.input) != 256 {
			t.Errorf("%s: asked to decrypt %d bytes (%v)", name, len(spy.input), err)
		}
	}
}

// spy remembers what it was asked.
type spy struct {
	counter
	opts  crypto.DecrypterOpts
	input []byte
}

func (s *spy) Decrypt(random io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	s.opts, s.input = opts, slices.Clone(msg)
	return s.counter.Decrypt(random, msg, opts)
}

// TestHardwareThatFails never opens a message, whatever it answers, and tells
// nobody its error.
func TestHardwareThatFails(t *testing.T) {
	vendor := errors.New("CKR_ENCRYPTED_DATA_INVALID")
	for name, answer := range map[string]func([]byte) ([]byte, error){
		"an error":                  func([]byte) ([]byte, error) { return nil, vendor },
		"an error and the key":      func(b []byte) ([]byte, error) { return b, vendor },
		"nothing":                   func([]byte) ([]byte, error) { return nil, nil },
		"an empty key":              func([]byte) ([]byte, error) { return []byte{}, nil },
		"a byte less":               func(b []byte) ([]byte, error) { return b[:31], nil },
		"half of it":                func(b []byte) ([]byte, error) { return b[:16], nil },
		"a byte more":               func(b []byte) ([]byte, error) { return append(slices.Clone(b), 0), nil },
		"the key and as much again": func(b []byte) ([]byte, error) { return append(slices.Clone(b), b...), nil },
		"a megabyte":                func(b []byte) ([]byte, error) { return append(slices.Clone(b), make([]byte, 1<<20)...), nil },
		"another key":               func([]byte) ([]byte, error) { return random(32), nil },
		"zeros":                     func([]byte) ([]byte, error) { return make([]byte, 32), nil },
	} {
		h := &hardware{counter{key: rsaKey()}, answer}
		got, err := open(private(h), forgery{content: []byte("content")}.token(rsaKey()))
		refuse(t, name, err, "")
		if got != (jwe.Plaintext{}) || errors.Is(err, vendor) || h.ops.Load() != 1 {
			t.Errorf("%s: %v after %d operations", name, err, h.ops.Load())
		}
	}
}

// TestHardwareThatTakesAnything is one that decrypts what is no encrypted key: a
// flaw that was found before still counts.
func TestHardwareThatTakesAnything(t *testing.T) {
	key := make([]byte, 32)
	for name, f := range keyFailures([]byte("content")) {
		obliging := &obliging{counter: counter{key: rsaKey()}, answer: key}
		_, err := open(private(obliging), f.token)
		refuse(t, name, err, "")
	}
	sealedUnderZeros := forgery{content: []byte("content"), key: key}.parts(rsaKey())
	sealedUnderZeros[1] = ""
	_, err := open(private(&obliging{counter: counter{key: rsaKey()}, answer: key}), joined(sealedUnderZeros))
	refuse(t, "the content key it always answers", err, "not of the modulus's length")
}

// obliging answers the same to everything.
type obliging struct {
	counter
	answer []byte
}

func (o *obliging) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	return slices.Clone(o.answer), nil
}

// TestFailedUnwrapIsRandom: what takes the place of a content key that does not
// unwrap is fresh each time (RFC 7516 §11.5). Were it known, or what the key
// unwraps to nevertheless, a message sealed under it would take another path.
func TestFailedUnwrapIsRandom(t *testing.T) {
	key := random(32)
	wrapped := unb64(strings.Split(forgery{cek: key}.token(rsaKey()), ".")[1])
	for name, answer := range map[string]func([]byte) ([]byte, error){
		"an error":             func([]byte) ([]byte, error) { return nil, errors.New("no") },
		"an error and the key": func(b []byte) ([]byte, error) { return b, errors.New("no") },
		"nothing":              func([]byte) ([]byte, error) { return nil, nil },
		"a byte less":          func(b []byte) ([]byte, error) { return b[:31], nil },
		"a byte more":          func(b []byte) ([]byte, error) { return append(slices.Clone(b), 0), nil },
	} {
		seen := map[string]bool{string(make([]byte, 32)): true, string(key): true, string(key[:31]) + "\x00": true}
		for range 10 {
			h := private(&hardware{counter{key: rsaKey()}, answer})
			cek, flaw := jwe.Unwrap(h, alg.Preferred(), wrapped)
			if flaw == "" || len(cek) != 32 || seen[string(cek)] {
				t.Errorf("%s: a key of %d bytes that can be known (%q)", name, len(cek), flaw)
			}
			seen[string(cek)] = true
		}
	}
}

// TestDecoyIsRandom: an encrypted key that is none for this modulus, or is spelled
// otherwise, is not what the private operation gets. The modulus has 258 bytes,
// three of which are four digits, so that a decoder may have read them all before
// it finds the flaw.
func TestDecoyIsRandom(t *testing.T) {
	const size = 258
	key := must(rsa.GenerateKey(rand.Reader, 8*size))
	parts := forgery{content: []byte("content")}.parts(key)
	genuine := parts[1]
	seen := map[string]bool{string(unb64(genuine)): true, string(make([]byte, size)): true}
	for _, spelling := range []string{
		"", genuine + "\n", genuine + "=", genuine + "A", genuine + "AAAA", genuine[:340], b64(key.N.Bytes()),
	} {
		spy := &spy{counter: counter{key: key}}
		parts[1] = spelling
		_, err := open(private(spy), joined(parts))
		refuse(t, spelling, err, "the encrypted key")
		if seen[string(spy.input)] || len(spy.input) != size {
			t.Errorf("%.20q…: the key was used for what could be known", spelling)
		}
		seen[string(spy.input)] = true
	}
}

// TestConcurrentUse opens one message and seals others in eight goroutines.
func TestConcurrentUse(t *testing.T) {
	c := &counter{key: rsaKey()}
	key := private(c)
	good := must(jwe.Parse([]byte(forgery{content: []byte("content")}.token(rsaKey()))))
	bad := must(jwe.Parse([]byte(failures([]byte("content"))["a tag of zeros"].token)))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if got, err := jwe.Open(key, good); err != nil || string(got.Bytes()) != "content" {
					t.Errorf("opening: %v: %s", err, jwe.Reason(err))
				}
				if _, err := jwe.Open(key, bad); !errors.Is(err, jwe.ErrOpen) {
					t.Errorf("a bad one: %v", err)
				}
				for _, s := range suites() {
					token, err := jwe.Seal(nil, key.Public(), s, []byte("content"))
					if got, err2 := open(key, string(token)); err != nil || err2 != nil || string(got.Bytes()) != "content" {
						t.Errorf("sealing: %v, %v", err, err2)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := c.ops.Load(); n != 8*10*(2+4) {
		t.Errorf("%d private operations", n)
	}
}
