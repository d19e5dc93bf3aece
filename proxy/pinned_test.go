package proxy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"testing"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy/proxytest"
)

// TestPinnedProject: the key of the client certificate decides, whatever its issuer,
// over HTTP/1.1 and HTTP/2; any other client with the right secret is an unknown caller.
// TestHostileRequests and TestOrder check its answers to the byte.
func TestPinnedProject(t *testing.T) {
	w := newWorld(t)
	key, other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	now, renewed, another := selfSigned(key, 1), selfSigned(key, 2), selfSigned(other, 3)
	c := w.pinnedTo(t, "000000000000010", keys.NewPin(now.Leaf.RawSubjectPublicKeyInfo))
	for what, d := range map[string]struct {
		shown []tls.Certificate
		want  int
	}{
		"its certificate":                  {[]tls.Certificate{now}, http.StatusOK},
		"another one under the same key":   {[]tls.Certificate{renewed}, http.StatusOK},
		"a certificate under another key":  {[]tls.Certificate{another}, http.StatusUnauthorized},
		"its certificate behind another's": {[]tls.Certificate{behind(another, now)}, http.StatusUnauthorized},
		"no certificate":                   {nil, http.StatusUnauthorized},
	} {
		for _, h2 := range []bool{false, true} {
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA, Certificates: d.shown}, ForceAttemptHTTP2: h2}
			c.HTTP = &http.Client{Transport: transport}
			answer, err := c.Send(t.Context(), proxytest.ARSPath, []byte(plaintext))
			transport.CloseIdleConnections()
			if err != nil || answer.Status != d.want {
				t.Errorf("%s, HTTP/2 %t: %d, %v, want %d", what, h2, answer.Status, err, d.want)
			}
			if d.want != http.StatusOK && string(answer.AnswerBody) != unauthorized.body() {
				t.Errorf("%s, HTTP/2 %t: %s", what, h2, answer.AnswerBody)
			}
		}
	}
	if answer, err := w.Caller.Send(t.Context(), proxytest.ARSPath, []byte(plaintext)); err != nil || answer.Status != http.StatusOK {
		t.Errorf("a project that is not pinned: %d, %v", answer.Status, err)
	}
}

// behind shows a chain whose first certificate alone has its key proven.
func behind(first, second tls.Certificate) tls.Certificate {
	first.Certificate = append(first.Certificate[:1:1], second.Certificate[0])
	return first
}

func selfSigned(key *ecdsa.PrivateKey, serial int64) tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: must(x509.ParseCertificate(der))}
}
