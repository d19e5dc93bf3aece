// Package jwk has RSA keys that are bound to the algorithms they may be used with. It
// reads and writes them as PEM, and writes public keys as JSON Web Keys (RFC 7517).
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

// The accepted modulus lengths, in bits. RFC 7518 §4.3 requires at least 2048. Above
// 4096, one private operation takes too long for a gateway.
const (
	MinBits = 2048
	MaxBits = 4096
)

// The accepted public exponents. Smaller ones allow low-exponent attacks; crypto/rsa
// refuses larger ones.
const (
	minExponent = 1<<16 + 1
	maxExponent = 1<<31 - 1
)

// ErrKey reports a key that kmproxy does not use: it is not RSA, its length is not
// between MinBits and MaxBits, it has not exactly two primes, or its exponent is
// unsafe.
var ErrKey = errors.New("unsuitable key")

var errNoKey = fmt.Errorf("%w: no public key", ErrKey)

// Private is the private half of an RSA key. It uses a [crypto.Decrypter], so that the
// key may be in hardware, and it never returns the key itself. The zero value opens
// nothing. It is safe for concurrent use if the Decrypter is.
type Private struct {
	dec    *crypto.Decrypter // a pointer, because fmt follows an interface, even in an unexported field
	public Public
}

// Public is the public half of an RSA key. The zero value seals nothing. It is safe for
// concurrent use.
type Public struct {
	key     *rsa.PublicKey
	allowed alg.Set
}

// NewPrivate binds a private half to the algorithms that its record allows.
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

// NewPublic binds a public half to the algorithms that its record allows.
func NewPublic(k *rsa.PublicKey, allowed alg.Set) (Public, error) {
	if err := suitable(k); err != nil {
		return Public{}, err
	}
	if allowed.Empty() {
		return Public{}, fmt.Errorf("%w: its record allows no algorithm", ErrKey)
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
		return fmt.Errorf("%w: the RSA key has %d bits; it must have %d to %d", ErrKey, k.N.BitLen(), MinBits, MaxBits)
	case k.N.Bit(0) == 0:
		return fmt.Errorf("%w: the modulus is even", ErrKey)
	case k.E < minExponent || k.E > maxExponent || k.E&1 == 0:
		return fmt.Errorf("%w: the public exponent is %d; it must be odd and between %d and %d", ErrKey, k.E, minExponent, maxExponent)
	}
	return nil
}

// suitablePrivate refuses keys with more than two primes, because crypto/rsa takes ten
// times as long with them.
func suitablePrivate(k *rsa.PrivateKey) error {
	if err := suitable(&k.PublicKey); err != nil {
		return err
	}
	if len(k.Primes) != 2 {
		return fmt.Errorf("%w: the RSA key has %d primes; it must have 2", ErrKey, len(k.Primes))
	}
	return nil
}

// Generate generates an RSA key. bits must be between MinBits and MaxBits.
func Generate(bits int) (*rsa.PrivateKey, error) {
	if bits < MinBits || bits > MaxBits {
		return nil, fmt.Errorf("%w: an RSA key of %d bits was requested; it must have %d to %d", ErrKey, bits, MinBits, MaxBits)
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("generating an RSA key: %w", err)
	}
	return k, nil
}

// Decrypter returns the decrypter that performs the private operation; nil for the zero
// value.
func (p Private) Decrypter() crypto.Decrypter {
	if p.dec == nil {
		return nil
	}
	return *p.dec
}

// Public returns the public half, bound to the same algorithms.
func (p Private) Public() Public { return p.public }

// Allows reports whether the key's record allows a suite.
func (p Private) Allows(s alg.Suite) bool { return p.public.Allows(s) }

// String keeps the private half out of printed output.
func (p Private) String() string { return sensitive.Redacted }

// GoString keeps the private half out of %#v.
func (p Private) GoString() string { return sensitive.Redacted }

// Format keeps the private half out of all other verbs.
func (p Private) Format(f fmt.State, verb rune) { sensitive.Bytes{}.Format(f, verb) }

// MarshalText keeps the private half out of all encoders.
func (p Private) MarshalText() ([]byte, error) { return []byte(sensitive.Redacted), nil }

// RSA returns the public key, which must not be changed; nil for the zero value.
func (p Public) RSA() *rsa.PublicKey { return p.key }

// Allows reports whether the key's record allows a suite.
func (p Public) Allows(s alg.Suite) bool { return p.key != nil && p.allowed.Allows(s) }

// Equal reports whether the keys are equal. It ignores which algorithms they allow.
func (p Public) Equal(other Public) bool {
	return p.key != nil && other.key != nil && p.key.Equal(other.key)
}
