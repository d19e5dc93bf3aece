package envelope_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// TestNewKDF checks the parameters against the second recommended option of RFC 9106
// §4: t=3, p=4, m=2^16 KiB, a salt of 128 bits.
func TestNewKDF(t *testing.T) {
	salts := map[string]bool{}
	for range 100 {
		k := envelope.NewKDF()
		if k.Passes != 3 || k.Lanes != 4 || k.MemoryKiB != 1<<16 || len(k.Salt) != 16 {
			t.Fatalf("got %+v", k)
		}
		if salts[string(k.Salt)] {
			t.Fatal("a salt was used twice")
		}
		salts[string(k.Salt)] = true
	}
}

func TestKDFAsJSON(t *testing.T) {
	const want = `{"salt":"MDEyMzQ1Njc4OWFiY2RlZg==","passes":3,"memory_kib":65536,"lanes":4}`
	got, err := json.Marshal(goldenKDF())
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestDeriveDependsOnEverything changes the passphrase, the salt and each cost.
func TestDeriveDependsOnEverything(t *testing.T) {
	derive := func(k envelope.KDF, passphrase string) string {
		key, err := k.Derive(sensitive.New([]byte(passphrase)))
		if err != nil {
			t.Fatal(err)
		}
		return key.ID()
	}
	if got := derive(goldenKDF(), goldenPassphrase); got != goldenPassphraseID {
		t.Errorf("the same parameters give another key: %s", got)
	}
	for name, change := range map[string]func(*envelope.KDF){
		"salt":   func(k *envelope.KDF) { k.Salt = []byte("0123456789abcdeF") },
		"passes": func(k *envelope.KDF) { k.Passes++ },
		"memory": func(k *envelope.KDF) { k.MemoryKiB += 1024 },
		"lanes":  func(k *envelope.KDF) { k.Lanes-- },
	} {
		k := goldenKDF()
		change(&k)
		if derive(k, goldenPassphrase) == goldenPassphraseID {
			t.Errorf("another %s gives the same key", name)
		}
	}
	if derive(goldenKDF(), goldenPassphrase+" ") == goldenPassphraseID {
		t.Error("another passphrase gives the same key")
	}
}

func TestPassphraseLength(t *testing.T) {
	for n, good := range map[int]bool{0: false, 1: false, 11: false, 12: true} {
		_, err := goldenKDF().Derive(sensitive.New(bytes.Repeat([]byte("x"), n)))
		if good != (err == nil) || !good && !errors.Is(err, envelope.ErrPassphrase) {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
	if _, err := goldenKDF().Derive(sensitive.Bytes{}); !errors.Is(err, envelope.ErrPassphrase) {
		t.Errorf("no passphrase: got %v", err)
	}
}

// TestCostIsBounded checks parameters that an attacker may write into the store: weaker
// than ours, or so expensive that the machine fails. They must be refused before any
// work, because the expensive ones would take minutes.
func TestCostIsBounded(t *testing.T) {
	for name, change := range map[string]func(*envelope.KDF){
		"no salt":          func(k *envelope.KDF) { k.Salt = nil },
		"a short salt":     func(k *envelope.KDF) { k.Salt = k.Salt[:15] },
		"a huge salt":      func(k *envelope.KDF) { k.Salt = make([]byte, 1<<20) },
		"no passes":        func(k *envelope.KDF) { k.Passes = 0 },
		"few passes":       func(k *envelope.KDF) { k.Passes = 2 },
		"many passes":      func(k *envelope.KDF) { k.Passes = 17 },
		"endless passes":   func(k *envelope.KDF) { k.Passes = 1<<32 - 1 },
		"no memory":        func(k *envelope.KDF) { k.MemoryKiB = 0 },
		"little memory":    func(k *envelope.KDF) { k.MemoryKiB = 64<<10 - 1 },
		"much memory":      func(k *envelope.KDF) { k.MemoryKiB = 1<<20 + 1 },
		"all memory":       func(k *envelope.KDF) { k.MemoryKiB = 1<<32 - 1 },
		"no lanes":         func(k *envelope.KDF) { k.Lanes = 0 },
		"many lanes":       func(k *envelope.KDF) { k.Lanes = 17 },
		"nothing of a KDF": func(k *envelope.KDF) { *k = envelope.KDF{} },
	} {
		k := goldenKDF()
		change(&k)
		key, err := k.Derive(sensitive.New([]byte(goldenPassphrase)))
		if err == nil || key.ID() != "" {
			t.Errorf("%s: accepted", name)
		} else if !strings.Contains(err.Error(), "Argon2id") || strings.Contains(err.Error(), goldenPassphrase) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
