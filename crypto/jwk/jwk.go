// Package jwk holds RSA keys bound to the algorithms they may be used with, and
// brings them in and out as PEM and as JSON Web Keys (RFC 7517).
package jwk

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/sensitive"
)

// The accepted modulus lengths, in bits. RFC 7518 §4.3 demands at least 2048;
// beyond 4096 one private operation costs more than a gateway can give away.
const (
	MinBits = 2048
	MaxBits = 4096
)

// The accepted public exponents: below, low-exponent attacks; above, crypto/rsa
// refuses to work.
const (
	minExponent = 1<<16 + 1
	maxExponent = 1<<31 - 1
)

// ErrKey reports a key that is not one kmproxy uses: not RSA, outside MinBits to
// MaxBits, not of two primes, or with an unsafe exponent.
var ErrKey = errors.New("unsuitable key")

var errNoKey = fmt.Errorf("%w: there is none", ErrKey)

// Private is the private half of an RSA key behind crypto.Decrypter, so that a
// hardware key can stand there. It never yields the key. The zero value opens
// nothing. Safe for concurrent use if the Decrypter is.
type Private struct {
	dec    *crypto.Decrypter // a pointer, because fmt looks into an interface wherever it lies
	public Public
}

// Public is the public half of an RSA key. The zero value seals nothing. Safe
// for concurrent use.
type Public struct {
	key     *rsa.PublicKey
	allowed alg.Set
}

// NewPrivate binds a private half to the algorithms its record allows.
func NewPrivate(d crypto.Decrypter, allowed alg.Set) (Private, error) {
	k, isRSA := d.(*rsa.PrivateKey)
	if d == nil || isRSA && k == nil {
		return Private{}, fmt.Errorf("%w: no private half", ErrKey)
	}
	if isRSA {
		if err := suitablePrivate(k); err != nil {
			return Private{}, err
		}
	}
	pub, ok := d.Public().(*rsa.PublicKey)
	if !ok {
		return Private{}, fmt.Errorf("%w: a %T is not an RSA key", ErrKey, d.Public())
	}
	public, err := NewPublic(pub, allowed)
	if err != nil {
		return Private{}, err
	}
	return Private{dec: &d, public: public}, nil
}

// NewPublic binds a public half to the algorithms its record allows.
func NewPublic(k *rsa.PublicKey, allowed alg.Set) (Public, error) {
	if err := suitable(k); err != nil {
		return Public{}, err
	}
	if allowed.Empty() {
		return Public{}, fmt.Errorf("%w: it is allowed no algorithm", ErrKey)
	}
	return Public{key: k, allowed: allowed}, nil
}

func suitable(k *rsa.PublicKey) error {
	switch {
	case k == nil || k.N == nil:
		return fmt.Errorf("%w: no RSA modulus", ErrKey)
	case k.N.Sign() < 0:
		return fmt.Errorf("%w: the modulus is negative", ErrKey)
	case k.N.BitLen() < MinBits || k.N.BitLen() > MaxBits:
		return fmt.Errorf("%w: RSA of %d bits, wanted %d to %d", ErrKey, k.N.BitLen(), MinBits, MaxBits)
	case k.N.Bit(0) == 0:
		return fmt.Errorf("%w: the modulus is even", ErrKey)
	case k.E < minExponent || k.E > maxExponent || k.E&1 == 0:
		return fmt.Errorf("%w: public exponent %d, wanted an odd one from %d to %d", ErrKey, k.E, minExponent, maxExponent)
	}
	return nil
}

// suitablePrivate refuses keys of more primes than two, with which crypto/rsa
// works ten times as long as with two.
func suitablePrivate(k *rsa.PrivateKey) error {
	if err := suitable(&k.PublicKey); err != nil {
		return err
	}
	if len(k.Primes) != 2 {
		return fmt.Errorf("%w: RSA with %d primes, wanted 2", ErrKey, len(k.Primes))
	}
	return nil
}

// Generate makes a new RSA key. bits lies between MinBits and MaxBits.
func Generate(bits int) (*rsa.PrivateKey, error) {
	if bits < MinBits || bits > MaxBits {
		return nil, fmt.Errorf("%w: RSA of %d bits, wanted %d to %d", ErrKey, bits, MinBits, MaxBits)
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("making an RSA key: %w", err)
	}
	return k, nil
}

// Decrypter is the private operation. It is nil for the zero value.
func (p Private) Decrypter() crypto.Decrypter {
	if p.dec == nil {
		return nil
	}
	return *p.dec
}

// Public is the other half, bound to the same algorithms.
func (p Private) Public() Public { return p.public }

// Allows tells whether the key's record allows a suite.
func (p Private) Allows(s alg.Suite) bool { return p.public.Allows(s) }

// String keeps the private half out of everything that prints.
func (p Private) String() string { return sensitive.Redacted }

// GoString keeps the private half out of %#v.
func (p Private) GoString() string { return sensitive.Redacted }

// Format keeps the private half out of every other verb.
func (p Private) Format(f fmt.State, verb rune) { sensitive.Bytes{}.Format(f, verb) }

// MarshalText keeps the private half out of every encoder.
func (p Private) MarshalText() ([]byte, error) { return []byte(sensitive.Redacted), nil }

// RSA returns the public key, which must not be changed. Nil for the zero value.
func (p Public) RSA() *rsa.PublicKey { return p.key }

// Allows tells whether the key's record allows a suite.
func (p Public) Allows(s alg.Suite) bool { return p.key != nil && p.allowed.Allows(s) }

// Equal compares the keys, not what they are allowed.
func (p Public) Equal(other Public) bool {
	return p.key != nil && other.key != nil && p.key.Equal(other.key)
}
