package listen

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// Lifetimes of what the local CA makes.
const (
	caLife   = 10 * 365 * 24 * time.Hour
	leafLife = 90 * 24 * time.Hour
	backdate = time.Hour // for clients whose clock is behind
)

// LocalCA is a certificate authority for trying kmproxy out on one machine.
type LocalCA struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// NewLocalCA makes a new authority.
func NewLocalCA(now time.Time) (*LocalCA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the local CA's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "kmproxy local CA", Organization: []string{"for trying out only"}},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(caLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the local CA: %w", err)
	}
	return openLocalCA(der, key)
}

// ReadLocalCA takes an authority from its certificate (DER) and key (PKCS#8).
func ReadLocalCA(certDER, keyDER []byte) (*LocalCA, error) {
	key, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return nil, fmt.Errorf("reading the local CA's key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("reading the local CA's key: a %T cannot sign", key)
	}
	return openLocalCA(certDER, signer)
}

func openLocalCA(certDER []byte, key crypto.Signer) (*LocalCA, error) {
	cert, err := x509.ParseCertificate(certDER)
	if err != nil {
		return nil, fmt.Errorf("reading the local CA: %w", err)
	}
	public, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(key.Public()) {
		return nil, fmt.Errorf("reading the local CA: the key is not its certificate's")
	}
	return &LocalCA{cert: cert, key: key}, nil
}

// Certificate is the authority's own, in DER: what clients trust.
func (a *LocalCA) Certificate() []byte { return a.cert.Raw }

// Key is the authority's private key, PKCS#8.
func (a *LocalCA) Key() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(a.key) }

// Issue makes a server certificate for names and IP addresses.
func (a *LocalCA) Issue(hostnames []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a certificate's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "kmproxy"},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hostnames {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// Certificates issues a certificate for hostnames, and another one when a third of its
// lifetime is left.
func (a *LocalCA) Certificates(hostnames []string, now func() time.Time) Certificates {
	var mu sync.Mutex
	var current *tls.Certificate
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		if current != nil && now().Before(current.Leaf.NotAfter.Add(-leafLife/3)) {
			return current, nil
		}
		next, err := a.Issue(hostnames, now())
		if err != nil {
			return nil, err
		}
		current = next
		return current, nil
	}
}

// serial has 127 random bits (RFC 5280 §4.1.2.2: positive, at most 20 bytes).
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
	b[0] = b[0]&0x7f | 0x01
	return new(big.Int).SetBytes(b)
}
