package listen

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// Errors of a pair of files. Their texts say what to do where there is one thing to do.
var (
	ErrNoCertificate = errors.New("it holds no PEM certificate")
	ErrNoKey         = errors.New("it holds no PEM private key")
	ErrDER           = errors.New("it is DER, not PEM")
	ErrEncryptedKey  = errors.New("the private key is encrypted")
	ErrOrder         = errors.New("the certificate of a CA comes before the one that the key belongs to: put that one first")
	ErrMismatch      = errors.New("it is not the key of the certificate")
)

// byteOrderMark is what some editors put before UTF-8 text.
var byteOrderMark = []byte("\xef\xbb\xbf")

// ParseChain reads the certificates of a PEM file, in their order. Other blocks are
// passed over.
func ParseChain(text []byte) ([]*x509.Certificate, error) {
	text = bytes.TrimPrefix(text, byteOrderMark)
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of it is damaged: %w", len(chain)+1, err)
		}
		chain = append(chain, c)
	}
	if len(chain) > 0 {
		return chain, nil
	}
	if _, err := x509.ParseCertificates(text); err == nil && len(text) > 0 {
		return nil, ErrDER
	}
	return nil, ErrNoCertificate
}

// ParseKey reads the first private key of a PEM file: PKCS#8, PKCS#1 or SEC 1.
func ParseKey(text []byte) (crypto.Signer, error) {
	text = bytes.TrimPrefix(text, byteOrderMark)
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, ErrEncryptedKey
		case block.Type == "PRIVATE KEY", block.Type == "RSA PRIVATE KEY", block.Type == "EC PRIVATE KEY":
			return parseKeyDER(block.Bytes)
		}
	}
	if _, err := parseKeyDER(text); err == nil {
		return nil, ErrDER
	}
	return nil, ErrNoKey
}

func parseKeyDER(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, can := key.(crypto.Signer); can {
			return signer, nil
		}
		return nil, errors.New("the private key is of a kind that cannot sign")
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errors.New("the private key is damaged")
}

// NewPair puts a chain and the private key of its first certificate together. It
// fails with ErrOrder or ErrMismatch.
func NewPair(chain []*x509.Certificate, key crypto.Signer) (tls.Certificate, error) {
	pair := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for i, c := range chain {
		if belongs(key, c) && i > 0 {
			return tls.Certificate{}, ErrOrder
		}
		pair.Certificate = append(pair.Certificate, c.Raw)
	}
	if !belongs(key, chain[0]) {
		return tls.Certificate{}, ErrMismatch
	}
	return pair, nil
}

func belongs(key crypto.Signer, c *x509.Certificate) bool {
	public, can := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return can && public.Equal(c.PublicKey)
}
