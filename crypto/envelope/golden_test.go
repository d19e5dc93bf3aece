package envelope_test

import (
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// Texts that the first release sealed must always open. The constants of this file must
// not change; a new format gets its own scheme next to "km1". They were also computed
// with another implementation of HKDF, XChaCha20-Poly1305 and Argon2id.
const (
	goldenKeyFile = "kmproxy-master-key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
	goldenID      = "cec893b749e20c6f"
	goldenText    = "km1.cec893b749e20c6f.3GXSdb4WVkKomRE6difr9T6t2R-gcar2NIovBz2j7n4xpeuZG1CGhNg8ost8moA_pDquo7fTkg8CUtc"
	goldenBeside  = `{"asp_id":"ASP000000000001"}`
	goldenSecret  = "-- a private key --"

	goldenPassphrase   = "correct horse battery staple"
	goldenPassphraseID = "2590ec9f5d71c1a7"
)

func goldenPlace() envelope.Place {
	return envelope.Place{Record: "project/ASP000000000001", Field: "secrets", Version: 7}
}

func goldenKDF() envelope.KDF {
	return envelope.KDF{Salt: []byte("0123456789abcdef"), Passes: 3, MemoryKiB: 64 << 10, Lanes: 4}
}

func TestGoldenTextOpens(t *testing.T) {
	key, err := envelope.FromKeyFile(sensitive.New([]byte(goldenKeyFile)))
	if err != nil {
		t.Fatal(err)
	}
	if key.ID() != goldenID {
		t.Errorf("the key's id is %s, want %s", key.ID(), goldenID)
	}
	secret, err := key.Open(goldenPlace(), []byte(goldenBeside), goldenText)
	if err != nil || !secret.Equal([]byte(goldenSecret)) {
		t.Errorf("the golden text does not open: %v", err)
	}
}

func TestGoldenPassphraseGivesTheSameKey(t *testing.T) {
	key, err := goldenKDF().Derive(sensitive.New([]byte(goldenPassphrase)))
	if err != nil || key.ID() != goldenPassphraseID {
		t.Errorf("the key's id is %s, want %s (%v)", key.ID(), goldenPassphraseID, err)
	}
}
