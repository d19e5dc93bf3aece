package listen_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// TestPair: a chain and a key in each form that is read, and each that is named.
func TestPair(t *testing.T) {
	ca, _ := newCA(t, start)
	leaf := issue(t, ca, start, "localhost")
	pkcs8, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(leaf.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	otherSEC1, err := x509.MarshalECPrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	cert, caCert := pemOf("CERTIFICATE", leaf.Certificate[0]), pemOf("CERTIFICATE", ca.Certificate())
	key := pemOf("PRIVATE KEY", pkcs8)
	bom := []byte("\xef\xbb\xbf")
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: sec1})
	for _, c := range []struct {
		name       string
		chain, key []byte
		want       error
	}{
		{"PKCS#8", cert, key, nil},
		{"SEC 1, behind its parameters", cert, append(pemOf("EC PARAMETERS", []byte{6}), pemOf("EC PRIVATE KEY", sec1)...), nil},
		{"with its CA", append(cert[:len(cert):len(cert)], caCert...), key, nil},
		{"both in one file", append(key[:len(key):len(key)], cert...), append(cert[:len(cert):len(cert)], key...), nil},
		{"byte order marks", append(bom[:3:3], cert...), append(bom[:3:3], key...), nil},
		{"the CA first", append(caCert[:len(caCert):len(caCert)], cert...), key, listen.ErrOrder},
		{"another key", cert, pemOf("EC PRIVATE KEY", otherSEC1), listen.ErrMismatch},
		{"the CA alone", caCert, key, listen.ErrMismatch},
		{"an encrypted key", cert, encrypted, listen.ErrEncryptedKey},
		{"an encrypted PKCS#8 key", cert, pemOf("ENCRYPTED PRIVATE KEY", pkcs8), listen.ErrEncryptedKey},
		{"a DER certificate", leaf.Certificate[0], key, listen.ErrDER},
		{"a DER key", cert, pkcs8, listen.ErrDER},
		{"files changed about", key, cert, listen.ErrNoCertificate},
		{"no key", cert, cert, listen.ErrNoKey},
		{"empty files", nil, nil, listen.ErrNoCertificate},
	} {
		if err := pairErr(c.chain, c.key); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func pairErr(chain, key []byte) error {
	list, err := listen.ParseChain(chain)
	if err != nil {
		return err
	}
	signer, err := listen.ParseKey(key)
	if err != nil {
		return err
	}
	pair, err := listen.NewPair(list, signer)
	if err == nil && (len(pair.Certificate) != len(list) || !bytes.Equal(pair.Leaf.Raw, pair.Certificate[0])) {
		return errors.New("it is not the chain that was read")
	}
	return err
}

func TestTrouble(t *testing.T) {
	ca, _ := newCA(t, start)
	pair := issue(t, ca, start, "proxy.example")
	end := pair.Leaf.NotAfter
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{start, ""},
		{end.Add(-listen.ExpiresSoon), ""},
		{end.Add(-listen.ExpiresSoon + time.Second), "x expires at 2027-02-21T00:00:00Z"},
		{end, "x expires at 2027-02-21T00:00:00Z"},
		{end.Add(time.Second), "x expired at 2027-02-21T00:00:00Z"},
		{start.Add(-2 * time.Hour), "x is not valid before 2026-11-22T23:00:00Z"},
	} {
		if got := listen.Trouble("x", pair.Leaf, c.at); got != c.want {
			t.Errorf("at %v: got %q, want %q", c.at, got, c.want)
		}
	}
	if got := listen.Uncovered(pair.Leaf, []string{"proxy.example", "other.example"}); len(got) != 1 || got[0] != "other.example" {
		t.Errorf("not covered are %q", got)
	}
	chain := *pair
	chain.Certificate = append(chain.Certificate[:1:1], ca.Certificate())
	other, _ := newCA(t, start)
	if listen.Disordered(pair) || listen.Disordered(&chain) {
		t.Error("a good chain is said to be out of order")
	}
	chain.Certificate = append(chain.Certificate, other.Certificate(), pair.Certificate[0])
	if !listen.Disordered(&chain) {
		t.Error("a chain that is out of order is not noticed")
	}
}
