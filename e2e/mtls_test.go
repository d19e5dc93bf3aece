package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestUpstreamDemandsCertificates: towards an upstream that has a certificate of a
// private CA and wants one of us, a call is answered; without the CA's file, or
// without our certificate, nothing is sent.
func TestUpstreamDemandsCertificates(t *testing.T) {
	ca := newAuthority(t)
	u := &upstream{seen: map[string]int{}}
	u.Server = httptest.NewUnstartedServer(http.HandlerFunc(u.serve))
	u.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(), Certificates: []tls.Certificate{ca.issue(t, "upstream")}}
	u.StartTLS()
	t.Cleanup(u.Close)
	for name, tt := range map[string]struct {
		settings string
		answered bool
	}{
		"both":                   {"ca_file = \"ca.pem\"\nclient_cert_file = \"own.pem\"\nclient_key_file = \"own.key\"\n", true},
		"no certificate of ours": {"ca_file = \"ca.pem\"\n", false},
		"no CA":                  {"client_cert_file = \"own.pem\"\nclient_key_file = \"own.key\"\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, u.URL, tt.settings)
			ca.write(t, g.dir)
			p := newProvider(t, g, 1)
			g.start(t)
			p.connect(t, g.roots(t))
			o := p.outcome(name)
			if o.right != tt.answered || !tt.answered && o.status != http.StatusBadGateway {
				t.Errorf("status %d, right %t, %v: %s", o.status, o.right, o.err, o.body)
			}
			if times := u.times(name); times > 0 != tt.answered {
				t.Errorf("it reached the upstream %d times", times)
			}
			g.stop(t)
		})
	}
}

// authority is a private CA.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	a := &authority{}
	a.cert, a.key = sign(t, template, template, nil)
	return a
}

func sign(t *testing.T, template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue makes a certificate for servers and clients at 127.0.0.1.
func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	cert, key := sign(t, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}, a.cert, a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// write puts the CA and a pair of the gateway's own into its folder.
func (a *authority) write(t *testing.T, dir string) {
	t.Helper()
	own := a.issue(t, "kmproxy")
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"ca.pem":  {Type: "CERTIFICATE", Bytes: a.cert.Raw},
		"own.pem": {Type: "CERTIFICATE", Bytes: own.Certificate[0]},
		"own.key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(fmt.Errorf("writing %s: %w", name, err))
		}
	}
}
