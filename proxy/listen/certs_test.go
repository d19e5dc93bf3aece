package listen_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// clientCert is a client's certificate of a CA that issues none itself.
func clientCert(t *testing.T, ca *listen.LocalCA) *tls.Certificate {
	t.Helper()
	der, err := ca.Key()
	if err != nil {
		t.Fatal(err)
	}
	caKey, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	parent, err := x509.ParseCertificate(ca.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certificate(t, parent, caKey.(crypto.Signer), key, x509.ExtKeyUsageClientAuth)
}

// selfSigned is an RSA server's certificate.
func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key := rsaKey(t)
	return certificate(t, nil, key, key, x509.ExtKeyUsageServerAuth)
}

func certificate(t *testing.T, parent *x509.Certificate, signer, key crypto.Signer, usage x509.ExtKeyUsage) *tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{usage}}
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
