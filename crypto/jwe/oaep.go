package jwe

import (
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // RSA-OAEP's hash, RFC 7518 §4.3
	_ "crypto/sha256" // RSA-OAEP-256's hash, RFC 7518 §4.3
	"crypto/subtle"
	"fmt"
	"math/big"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// unwrap decrypts a content key (RFC 7518 §4.3). It always returns one of the
// length that enc demands: a random one, and a flaw for the log, when the
// encrypted key does not unwrap, or unwraps to another length (RFC 7516 §11.5).
// The private operation runs in every case.
func unwrap(key jwk.Private, s alg.Suite, encrypted []byte) (cek []byte, flaw string) {
	input, flaw := rsaInput(key.Public().RSA(), encrypted)
	options := &rsa.OAEPOptions{Hash: s.Key.Hash()}
	opened, err := key.Decrypter().Decrypt(rand.Reader, input, options)

	n := s.Enc.KeyBytes()
	cek = make([]byte, n)
	_, _ = rand.Read(cek) // never fails: crypto/rand ends the program first

	candidate := make([]byte, n)
	copy(candidate, opened)
	good := subtle.ConstantTimeEq(int32(len(opened)), int32(n)) & oneIf(err == nil) & oneIf(flaw == "")
	subtle.ConstantTimeCopy(good, cek, candidate)
	clear(candidate)
	clear(opened)

	switch {
	case flaw != "":
	case err != nil:
		flaw = fmt.Sprintf("the content key does not unwrap: it was sealed to another key, "+
			"or not with %v for both OAEP and MGF1 as %s demands", s.Key.Hash(), s.Key)
	case good == 0:
		flaw = fmt.Sprintf("the content key has not the %d bytes of %s", n, s.Enc)
	}
	return cek, flaw
}

// rsaInput gives the private operation something of the right size to work on:
// the encrypted key, or a decoy where that cannot be one (RFC 8017 §7.1.2 step 1
// and §5.1.2 step 1: as long as the modulus, and smaller). Both conditions are
// public; without the decoy they would be answered sooner than other failures.
func rsaInput(pub *rsa.PublicKey, encrypted []byte) (input []byte, flaw string) {
	if len(encrypted) == pub.Size() && new(big.Int).SetBytes(encrypted).Cmp(pub.N) < 0 {
		return encrypted, ""
	}
	decoy := make([]byte, pub.Size())
	_, _ = rand.Read(decoy[1:]) // a leading zero keeps it below the modulus
	return decoy, "the encrypted key is not of the modulus's length, or not below it"
}

// wrap encrypts a content key (RFC 7518 §4.3).
func wrap(key jwk.Public, a alg.Key, cek []byte) ([]byte, error) {
	return rsa.EncryptOAEP(a.Hash().New(), rand.Reader, key.RSA(), cek, nil)
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}
