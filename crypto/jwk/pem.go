package jwk

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"kmproxy/crypto/sensitive"
)

// ErrPEM reports a text that has no key of the required kind.
var ErrPEM = errors.New("no usable PEM block")

// ParsePrivatePEM parses an RSA private key in PKCS#8 or PKCS#1. Line breaks may be the
// two characters \n, as in environment variables. If there are several blocks, the
// first private key counts.
func ParsePrivatePEM(text []byte) (*rsa.PrivateKey, error) {
	var seen []string
	for block := range blocks(text) {
		switch block.Type {
		case "PRIVATE KEY":
			defer clear(block.Bytes)
			return asPrivate(x509.ParsePKCS8PrivateKey(block.Bytes))
		case "RSA PRIVATE KEY":
			defer clear(block.Bytes)
			if block.Headers["DEK-Info"] != "" {
				return nil, fmt.Errorf("%w: the private key is encrypted; decrypt it with openssl pkey first", ErrPEM)
			}
			return asPrivate(x509.ParsePKCS1PrivateKey(block.Bytes))
		case "ENCRYPTED PRIVATE KEY":
			return nil, fmt.Errorf("%w: the private key is encrypted; decrypt it with openssl pkey first", ErrPEM)
		}
		seen = append(seen, block.Type)
	}
	return nil, fmt.Errorf("%w: expected a PRIVATE KEY or RSA PRIVATE KEY block, found %s", ErrPEM, list(seen))
}

// ParsePublicPEM parses an RSA public key in SPKI, in PKCS#1 or in a certificate. Line
// breaks may be the two characters \n. If there are several blocks, the first public
// one counts. A text with only a private key is refused, because the operator is
// probably about to hand out the wrong file.
func ParsePublicPEM(text []byte) (*rsa.PublicKey, error) {
	var seen []string
	for block := range blocks(text) {
		switch block.Type {
		case "PUBLIC KEY":
			return asPublic(x509.ParsePKIXPublicKey(block.Bytes))
		case "RSA PUBLIC KEY":
			return asPublic(x509.ParsePKCS1PublicKey(block.Bytes))
		case "CERTIFICATE":
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%w: the certificate is damaged: %w", ErrPEM, err)
			}
			return asPublic(cert.PublicKey, nil)
		}
		seen = append(seen, block.Type)
	}
	return nil, fmt.Errorf("%w: expected a PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE block, found %s", ErrPEM, list(seen))
}

// PEM returns the key in SPKI. For the zero value it returns [ErrKey].
func (p Public) PEM() ([]byte, error) {
	if p.key == nil {
		return nil, errNoKey
	}
	der, err := x509.MarshalPKIXPublicKey(p.key)
	if err != nil {
		return nil, fmt.Errorf("encoding a public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// PrivatePEM returns a private key in PKCS#8.
func PrivatePEM(k *rsa.PrivateKey) (sensitive.Bytes, error) {
	der, err := PrivateDER(k)
	if err != nil {
		return sensitive.Bytes{}, err
	}
	defer der.Wipe()
	return sensitive.New(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der.Expose()})), nil
}

// PrivateDER returns a private key in PKCS#8 without PEM.
func PrivateDER(k *rsa.PrivateKey) (sensitive.Bytes, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return sensitive.Bytes{}, fmt.Errorf("encoding a private key: %w", err)
	}
	return sensitive.New(der), nil
}

// ParsePrivateDER parses the result of [PrivateDER].
func ParsePrivateDER(der sensitive.Bytes) (*rsa.PrivateKey, error) {
	return asPrivate(x509.ParsePKCS8PrivateKey(der.Expose()))
}

func asPrivate(key any, err error) (*rsa.PrivateKey, error) {
	if err != nil {
		// x509's errors name structures, never contents
		return nil, fmt.Errorf("%w: the private key is damaged, or its first line names another format: %w", ErrPEM, err)
	}
	k, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: a %T is not an RSA private key", ErrKey, key)
	}
	if err := suitablePrivate(k); err != nil {
		return nil, err
	}
	return k, nil
}

func asPublic(key any, err error) (*rsa.PublicKey, error) {
	if err != nil {
		return nil, fmt.Errorf("%w: the public key is damaged, or its first line names another format: %w", ErrPEM, err)
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: a %T is not an RSA public key", ErrKey, key)
	}
	if err := suitable(k); err != nil {
		return nil, err
	}
	return k, nil
}

// blocks yields the PEM blocks of a text. It first restores line breaks that were
// written as the two characters \n.
func blocks(text []byte) func(yield func(*pem.Block) bool) {
	return func(yield func(*pem.Block) bool) {
		oneLine := bytes.ReplaceAll(text, []byte(`\r`), nil)
		rest := bytes.ReplaceAll(oneLine, []byte(`\n`), []byte("\n"))
		defer clear(oneLine) // both are copies, and may hold a private key
		defer clear(rest)
		for {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil || !yield(block) {
				return
			}
		}
	}
}

func list(seen []string) string {
	if len(seen) == 0 {
		return "none"
	}
	return fmt.Sprintf("%q", seen)
}
