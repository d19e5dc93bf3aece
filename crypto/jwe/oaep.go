package jwe

import (
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // RSA-OAEP's hash, RFC 7518 §4.3
	_ "crypto/sha256" // RSA-OAEP-256's hash, RFC 7518 §4.3
	"crypto/subtle"
	"math/big"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// What can be wrong with an encrypted key. The texts are constants, because
// composing one would make its failure dearer than another.
const (
	flawNotUnder = "the encrypted key is not of the modulus's length, or not below it"
	flawUnwrap   = "the content key does not unwrap: it was sealed to another key, or with another hash for OAEP or " +
		"MGF1 than its alg demands (RSA-OAEP: SHA-1 for both, RSA-OAEP-256: SHA-256 for both)"
	flawLength = "the content key has not the length that enc demands"
)

// unwrap decrypts a content key. It always returns one of the length that enc
// demands: a random one, and a flaw for the log, when the encrypted key does not
// unwrap, or unwraps to another length (RFC 7516 §11.5).
func unwrap(key jwk.Private, s alg.Suite, encrypted []byte) (cek []byte, flaw string) {
	opened, flaw := decryptKey(key, s.Key, encrypted)
	n := s.Enc.KeyBytes()
	cek = make([]byte, n)
	_, _ = rand.Read(cek) // never fails: crypto/rand ends the program first

	candidate := make([]byte, n)
	copy(candidate, opened)
	fits := subtle.ConstantTimeEq(int32(len(opened)), int32(n))
	subtle.ConstantTimeCopy(fits&oneIf(flaw == ""), cek, candidate)
	clear(candidate)
	clear(opened)
	if flaw == "" && fits == 0 {
		flaw = flawLength
	}
	return cek, flaw
}

// decryptKey is RSAES-OAEP (RFC 7518 §4.3, RFC 8017 §7.1.2) with the hash that
// alg demands and an empty label. The private operation runs in every case, once.
func decryptKey(key jwk.Private, a alg.Key, encrypted []byte) (opened []byte, flaw string) {
	input, flaw := rsaInput(key.Public().RSA(), encrypted)
	options := &rsa.OAEPOptions{Hash: a.Hash()}
	opened, err := key.Decrypter().Decrypt(rand.Reader, input, options)
	if flaw == "" && err != nil {
		flaw = flawUnwrap
	}
	return opened, flaw
}

// rsaInput gives the private operation something of the right size to work on:
// the encrypted key, or a random decoy where that cannot be one (RFC 8017 §7.1.2 step
// 1 and §5.1.2 step 1: as long as the modulus, and smaller). Both conditions are
// public; without the decoy they would be answered sooner than other failures. It is
// made for everybody, for making it takes time too.
func rsaInput(pub *rsa.PublicKey, encrypted []byte) (input []byte, flaw string) {
	input = make([]byte, pub.Size())
	_, _ = rand.Read(input[1:]) // a leading zero keeps it below the modulus
	below := new(big.Int).SetBytes(encrypted).Cmp(pub.N) < 0
	if len(encrypted) != len(input) || !below {
		return input, flawNotUnder
	}
	copy(input, encrypted)
	return input, ""
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
