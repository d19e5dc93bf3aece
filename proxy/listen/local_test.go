package listen_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"sync"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

var start = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func newCA(t *testing.T, now time.Time) (*listen.LocalCA, *x509.CertPool) {
	t.Helper()
	ca, err := listen.NewLocalCA(now)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(ca.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return ca, pool
}

func issue(t *testing.T, ca *listen.LocalCA, now time.Time, names ...string) *tls.Certificate {
	t.Helper()
	cert, err := ca.Issue(names, now)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestIssuedCertificates(t *testing.T) {
	ca, pool := newCA(t, start)
	leaf := issue(t, ca, start, "localhost", "proxy.example", "127.0.0.1", "::1").Leaf
	for name, want := range map[string]bool{
		"localhost": true, "proxy.example": true, "127.0.0.1": true, "[::1]": true,
		"other.example": false, "sub.proxy.example": false, "127.0.0.2": false, "kmproxy": false,
	} {
		_, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: pool, CurrentTime: start})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for usage, want := range map[x509.ExtKeyUsage]bool{x509.ExtKeyUsageServerAuth: true, x509.ExtKeyUsageClientAuth: false} {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: start, KeyUsages: []x509.ExtKeyUsage{usage}})
		if (err == nil) != want {
			t.Errorf("usage %d: %v", usage, err)
		}
	}
	if leaf.IsCA || issue(t, ca, start, "localhost").Leaf.SerialNumber.Cmp(leaf.SerialNumber) == 0 {
		t.Error("a server's certificate issues others, or has another one's serial")
	}
	if leaf.SerialNumber.Sign() <= 0 || leaf.SerialNumber.BitLen() > 159 {
		t.Errorf("serial %x is not of RFC 5280", leaf.SerialNumber)
	}
	_, other := newCA(t, start)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: other, CurrentTime: start}); err == nil {
		t.Error("another local CA vouches for it")
	}
}

func TestReadLocalCA(t *testing.T) {
	ca, pool := newCA(t, start)
	key, err := ca.Key()
	if err != nil {
		t.Fatal(err)
	}
	again, err := listen.ReadLocalCA(ca.Certificate(), key)
	if err != nil || !bytes.Equal(again.Certificate(), ca.Certificate()) {
		t.Fatalf("read back: %v", err)
	}
	if _, err := issue(t, again, start, "localhost").Leaf.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: start}); err != nil {
		t.Errorf("what it issues now: %v", err)
	}
	other, _ := newCA(t, start)
	otherKey, err := other.Key()
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		cert, key []byte
		says      string
	}{
		"another CA's key":       {ca.Certificate(), otherKey, "the key is not its certificate's"},
		"a key of another kind":  {ca.Certificate(), pkcs8(t, rsaKey(t)), "the key is not its certificate's"},
		"a key that cannot sign": {ca.Certificate(), pkcs8(t, ecdhKey(t)), "cannot sign"},
		"a damaged key":          {ca.Certificate(), key[:len(key)-1], "reading the local CA's key"},
		"no key":                 {ca.Certificate(), nil, "reading the local CA's key"},
		"a damaged certificate":  {ca.Certificate()[1:], key, "reading the local CA"},
		"no certificate":         {nil, key, "reading the local CA"},
	} {
		if got, err := listen.ReadLocalCA(c.cert, c.key); err == nil || got != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ecdhKey(t *testing.T) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestRenewal: at every moment of two years the certificate in use is valid, and
// was replaced before the last third of its lifetime, but no sooner.
func TestRenewal(t *testing.T) {
	ca, pool := newCA(t, start)
	now := start
	certificates := ca.Certificates([]string{"localhost"}, func() time.Time { return now })
	var before *tls.Certificate
	made := 0
	for ; now.Before(start.AddDate(2, 0, 0)); now = now.Add(7 * time.Hour) {
		cert, err := certificates(nil)
		if err != nil {
			t.Fatal(err)
		}
		if cert != before {
			made++
		}
		before = cert
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: "localhost", Roots: pool, CurrentTime: now}); err != nil {
			t.Fatalf("at %v: %v", now, err)
		}
		life := cert.Leaf.NotAfter.Sub(cert.Leaf.NotBefore)
		if left := cert.Leaf.NotAfter.Sub(now); left < life/4 {
			t.Fatalf("at %v only %v of %v are left", now, left, life)
		}
	}
	if made < 10 || made > 15 {
		t.Errorf("%d certificates were made in two years", made)
	}
}

func TestCertificatesAreSharedByHandshakes(t *testing.T) {
	ca, _ := newCA(t, start)
	certificates := ca.Certificates([]string{"localhost"}, func() time.Time { return start })
	first, err := certificates(nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if cert, err := certificates(nil); err != nil || cert != first {
				t.Errorf("another certificate, or %v", err)
			}
		})
	}
	all.Wait()
}
