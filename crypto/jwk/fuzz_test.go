package jwk_test

import (
	"bytes"
	"errors"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// FuzzPEM checks that a text that parses has a suitable key, which can be written as
// PEM and read again.
func FuzzPEM(f *testing.F) {
	text := wycheproofPEM(f, "rsa_oaep_misc_test.json", "2048") // because generating a key is slow under a fuzzer
	k := must(jwk.ParsePrivatePEM(text))
	f.Add(text)
	f.Add(pkcs1(k))
	f.Add(join(pkcs8(k), spki(&k.PublicKey)))
	f.Add(certificate(&k.PublicKey, k))
	f.Add(bytes.ReplaceAll(pkcs1Public(&k.PublicKey), []byte("\n"), []byte(`\n`)))
	f.Add(block("ENCRYPTED PRIVATE KEY", []byte{1}))
	f.Add([]byte("-----BEGIN "))
	f.Fuzz(func(t *testing.T, text []byte) {
		private, err := jwk.ParsePrivatePEM(text)
		if err == nil {
			if _, err := jwk.NewPrivate(private, alg.All()); err != nil {
				t.Errorf("the key was parsed but is unsuitable: %v", err)
			}
			again, err := jwk.ParsePrivatePEM(must(jwk.PrivatePEM(private)).Expose())
			if err != nil || !again.Equal(private) {
				t.Errorf("the private key does not survive a round trip: %v", err)
			}
		}
		public, err2 := jwk.ParsePublicPEM(text)
		if err2 == nil {
			again, err := jwk.ParsePublicPEM(must(must(jwk.NewPublic(public, alg.All())).PEM()))
			if err != nil || !again.Equal(public) {
				t.Errorf("the public key does not survive a round trip: %v", err)
			}
		}
		for _, err := range []error{err, err2} {
			if err != nil && !errors.Is(err, jwk.ErrPEM) && !errors.Is(err, jwk.ErrKey) {
				t.Errorf("unexpected error: %v", err)
			}
		}
	})
}
