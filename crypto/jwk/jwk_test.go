package jwk_test

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// publicOfBits returns a key whose modulus is an odd number of the given length.
func publicOfBits(bits uint) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	return &rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 65537}
}

// standIn is used in place of a hardware key: it has a public half but is no *rsa.PrivateKey.
type standIn struct{ public crypto.PublicKey }

func (s standIn) Public() crypto.PublicKey { return s.public }
func (standIn) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	return nil, errors.New("this key does not decrypt")
}

func TestSuitableKeys(t *testing.T) {
	exponent := func(e int) *rsa.PublicKey { return &rsa.PublicKey{N: publicOfBits(2048).N, E: e} }
	even := publicOfBits(2048)
	even.N.Sub(even.N, big.NewInt(1))
	negative := publicOfBits(2048)
	negative.N.Neg(negative.N)
	for name, c := range map[string]struct {
		key  *rsa.PublicKey
		says string // empty if the key is suitable
	}{
		"2048 bits":                  {publicOfBits(2048), ""},
		"2049 bits":                  {publicOfBits(2049), ""},
		"4096 bits":                  {publicOfBits(4096), ""},
		"the exponent 2³¹-1":         {exponent(1<<31 - 1), ""},
		"no key":                     {nil, "no RSA modulus"},
		"an empty key":               {&rsa.PublicKey{}, "no RSA modulus"},
		"a modulus of 0":             {&rsa.PublicKey{N: new(big.Int), E: 65537}, "the RSA key has 0 bits"},
		"1024 bits":                  {publicOfBits(1024), "the RSA key has 1024 bits"},
		"2047 bits (RFC 7518 §4.3)":  {publicOfBits(2047), "the RSA key has 2047 bits"},
		"4097 bits":                  {publicOfBits(4097), "the RSA key has 4097 bits"},
		"an even modulus":            {even, "the modulus is even"},
		"a negative modulus":         {negative, "the modulus is negative"},
		"the exponent 0":             {exponent(0), "the public exponent is 0"},
		"the exponent 1":             {exponent(1), "the public exponent is 1;"},
		"the exponent 3":             {exponent(3), "the public exponent is 3;"},
		"the exponent 65535":         {exponent(65535), "the public exponent is 65535;"},
		"the exponent 65538":         {exponent(65538), "the public exponent is 65538;"},
		"the exponent 2³¹+1":         {exponent(1<<31 + 1), "the public exponent is 2147483649;"},
		"a negative public exponent": {exponent(-65537), "the public exponent is -65537;"},
	} {
		_, asPublic := jwk.NewPublic(c.key, alg.All())
		_, asPrivate := jwk.NewPrivate(standIn{c.key}, alg.All())
		for half, err := range map[string]error{"public": asPublic, "private": asPrivate} {
			good := c.says == ""
			if good && err != nil || !good && (!errors.Is(err, jwk.ErrKey) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s, %s: got %v", name, half, err)
			}
		}
	}
}

func TestNewPrivateRefusesWhatIsNoRSAKey(t *testing.T) {
	for name, d := range map[string]crypto.Decrypter{
		"nothing":         nil,
		"a nil RSA key":   (*rsa.PrivateKey)(nil),
		"an EC key":       standIn{&ecKey().PublicKey},
		"an Ed25519 key":  standIn{edKey().Public()},
		"no public half":  standIn{nil},
		"an RSA value":    standIn{rsaKey().PublicKey},
		"an empty RSA":    &rsa.PrivateKey{},
		"its private key": standIn{rsaKey()},
		"no primes":       &rsa.PrivateKey{PublicKey: rsaKey().PublicKey, D: rsaKey().D},
	} {
		if got, err := jwk.NewPrivate(d, alg.All()); !errors.Is(err, jwk.ErrKey) || got.Decrypter() != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestKeysAreBoundToTheirAlgorithms(t *testing.T) {
	only := must(alg.ParseSet([]string{"RSA-OAEP-256"}, []string{"A256GCM"}))
	priv := must(jwk.NewPrivate(rsaKey(), only))
	pub := must(jwk.NewPublic(&rsaKey().PublicKey, only))
	for _, k := range []alg.Key{0, alg.RSAOAEP, alg.RSAOAEP256, 9} {
		for _, e := range []alg.Enc{0, alg.A128GCM, alg.A256GCM, 9} {
			s := alg.Suite{Key: k, Enc: e}
			want := s == alg.Preferred()
			if priv.Allows(s) != want || pub.Allows(s) != want || priv.Public().Allows(s) != want {
				t.Errorf("%v: allowed %v, %v", s, priv.Allows(s), pub.Allows(s))
			}
		}
	}
	if _, err := jwk.NewPublic(&rsaKey().PublicKey, alg.Set{}); !errors.Is(err, jwk.ErrKey) {
		t.Errorf("allowed nothing: got %v", err)
	}
	if _, err := jwk.NewPrivate(rsaKey(), alg.Set{}); !errors.Is(err, jwk.ErrKey) {
		t.Errorf("allowed nothing: got %v", err)
	}
}

func TestZeroKeys(t *testing.T) {
	var priv jwk.Private
	var pub jwk.Public
	if priv.Allows(alg.Preferred()) || pub.Allows(alg.Preferred()) || priv.Decrypter() != nil || pub.RSA() != nil {
		t.Error("a zero key can be used")
	}
	if pub.Equal(pub) || pub.Equal(must(jwk.NewPublic(&rsaKey().PublicKey, alg.All()))) {
		t.Error("a zero key equals another key")
	}
	if _, err := pub.PEM(); !errors.Is(err, jwk.ErrKey) {
		t.Errorf("PEM: got %v", err)
	}
	if _, err := pub.JWK("kid"); !errors.Is(err, jwk.ErrKey) {
		t.Errorf("JWK: got %v", err)
	}
}

func TestEqual(t *testing.T) {
	only := must(alg.ParseSet([]string{"RSA-OAEP"}, []string{"A128GCM"}))
	a := must(jwk.NewPublic(&rsaKey().PublicKey, alg.All()))
	if !a.Equal(must(jwk.NewPublic(&rsaKey().PublicKey, only))) {
		t.Error("a key does not equal itself when it allows other algorithms")
	}
	if a.Equal(must(jwk.NewPublic(publicOfBits(2048), alg.All()))) {
		t.Error("two different keys are equal")
	}
}

func TestGenerate(t *testing.T) {
	if k := rsaKey(); k.N.BitLen() != 2048 || k.E != 65537 || k.Validate() != nil {
		t.Error("the generated key is not a valid key of 2048 bits")
	}
	for _, bits := range []int{-1, 0, 512, 1024, 2047, 4097, 1 << 20} {
		if _, err := jwk.Generate(bits); !errors.Is(err, jwk.ErrKey) {
			t.Errorf("%d bits: got %v", bits, err)
		}
	}
}

func TestPrivatePrintsNowhere(t *testing.T) {
	hidden := struct{ key jwk.Private }{must(jwk.NewPrivate(rsaKey(), alg.All()))}
	text := must(jwk.PrivatePEM(rsaKey()))
	der := must(jwk.PrivateDER(rsaKey()))
	for _, secret := range []*big.Int{rsaKey().D, rsaKey().Primes[0], rsaKey().Primes[1]} {
		sensitivetest.Hidden(t, secret.Bytes(), hidden.key)
		sensitivetest.Hidden(t, secret.Bytes(), hidden)
		sensitivetest.Hidden(t, secret.Bytes(), der)
		sensitivetest.Hidden(t, secret.Bytes(), text)
	}
	sensitivetest.Hidden(t, text.Expose()[100:], text)
	if hidden.key.String() != "[redacted]" || hidden.key.GoString() != "[redacted]" {
		t.Errorf("prints as %q, %q", hidden.key.String(), hidden.key.GoString())
	}
	value := must(jwk.NewPrivate(rsaByValue{*rsaKey()}, alg.All()))
	sensitivetest.Hidden(t, rsaKey().D.Bytes(), struct{ key jwk.Private }{value})
}

// rsaByValue is a decrypter that is not a pointer.
type rsaByValue struct{ key rsa.PrivateKey }

func (r rsaByValue) Public() crypto.PublicKey { return &r.key.PublicKey }
func (r rsaByValue) Decrypt(random io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	return r.key.Decrypt(random, msg, opts)
}

// rfc7638 is the modulus of RFC 7638 §3.1.
const rfc7638 = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

func rfc7638Key() jwk.Public {
	n := new(big.Int).SetBytes(must(base64.RawURLEncoding.DecodeString(rfc7638)))
	return must(jwk.NewPublic(&rsa.PublicKey{N: n, E: 65537}, alg.All()))
}

// TestThumbprint checks the example of RFC 7638 §3.1.
func TestThumbprint(t *testing.T) {
	if got, want := rfc7638Key().Thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestJWK checks that key as the JWK of RFC 7517 §4, with the members of RFC 7518
// §6.3.1.
func TestJWK(t *testing.T) {
	got := must(rfc7638Key().JWK("2011-04-29"))
	want := `{"kty":"RSA","use":"enc","kid":"2011-04-29","n":"` + rfc7638 + `","e":"AQAB"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestJWKIsReadByOthers checks that go-jose reads the JWK.
func TestJWKIsReadByOthers(t *testing.T) {
	pub := must(jwk.NewPublic(&rsaKey().PublicKey, alg.All()))
	var other jose.JSONWebKey
	if err := json.Unmarshal(must(pub.JWK(`a "kid" <&>`)), &other); err != nil {
		t.Fatal(err)
	}
	if k, ok := other.Key.(*rsa.PublicKey); !ok || !k.Equal(pub.RSA()) || other.KeyID != `a "kid" <&>` || other.Use != "enc" {
		t.Errorf("read as %v", other)
	}
	sum := must(other.Thumbprint(crypto.SHA256))
	if got := base64.RawURLEncoding.EncodeToString(sum); got != pub.Thumbprint() {
		t.Errorf("thumbprint %s, go-jose says %s", pub.Thumbprint(), got)
	}
}
