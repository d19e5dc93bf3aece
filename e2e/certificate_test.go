package e2e_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// pairText is a self-signed certificate for localhost and its key, valid from and to so
// long from now.
func pairText(t *testing.T, from, to time.Duration) (cert, key []byte) {
	t.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to), KeyUsage: x509.KeyUsageDigitalSignature}
	c, k := sign(t, template, template, nil)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), keyText(t, k)
}

func keyText(t *testing.T, k *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (g *gateway) put(t *testing.T, cert, key []byte) {
	t.Helper()
	for name, text := range map[string][]byte{"tls.pem": cert, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(g.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// readiness is what /readyz says.
func (g *gateway) readiness(t *testing.T) (status int, text string) {
	t.Helper()
	answer, err := http.Get("http://" + g.admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

const fromFiles = "[tls]\nmode = \"files\"\ncert_file = \"tls.pem\"\nkey_file = \"tls.key\"\n"

// TestCertificateTrouble: a start with a pair that has expired serves and says so; a
// valid one takes its place; none that is worse does, which is told once in the log, at
// /readyz and as a metric.
func TestCertificateTrouble(t *testing.T) {
	g := newGateway(t, "http://127.0.0.1:1", fromFiles)
	oldCert, oldKey := pairText(t, -30*day, -day)
	goodCert, goodKey := pairText(t, -day, 90*day)
	g.put(t, oldCert, oldKey)
	g.start(t)
	told := func(what string) func() bool {
		return func() bool {
			status, text := g.readiness(t)
			return status == http.StatusOK && strings.Contains(text, what)
		}
	}
	soon(t, "an expired certificate is told", told("tls.cert_file: the certificate expired at "))
	if end := g.sample(t, `kmproxy_certificate_expiry_seconds\{name="listen"\}`); end <= 0 || end > float64(time.Now().Unix()) {
		t.Errorf("its end is %v", end)
	}
	g.put(t, goodCert, goodKey)
	soon(t, "a valid pair is in use", func() bool { _, text := g.readiness(t); return text == "ok\n" })
	end := g.sample(t, `kmproxy_certificate_expiry_seconds\{name="listen"\}`)
	for _, c := range []struct {
		cert, key []byte
		want      string
	}{{oldCert, oldKey, "stays in use: its certificate expired at "}, {goodCert, oldKey, "it is not the key of the certificate"}} {
		g.put(t, c.cert, c.key)
		soon(t, c.want, told(c.want))
		if g.sample(t, `kmproxy_certificate_expiry_seconds\{name="listen"\}`) != end {
			t.Errorf("%s: it replaced the valid one", c.want)
		}
		if g.sample(t, `kmproxy_certificate_files_refused\{name="listen"\}`) != 1 {
			t.Errorf("%s: no metric says so", c.want)
		}
		soon(t, "the log has it", func() bool { return strings.Contains(g.log.String(), c.want) })
		if n := strings.Count(g.log.String(), c.want); n != 1 {
			t.Errorf("%s: the log has it %d times", c.want, n)
		}
	}
	g.stop(t)
}

// TestConfigCheckCertificates: what a start cannot use is named with its key, its file,
// the cause and what to do.
func TestConfigCheckCertificates(t *testing.T) {
	g := newGateway(t, "http://127.0.0.1:1", fromFiles)
	cert, key := pairText(t, -day, 90*day)
	caCert, otherKey := pairText(t, -day, 90*day)
	der, _ := pem.Decode(key)
	for _, c := range []struct {
		name      string
		cert, key []byte
		want      []string
	}{
		{"good", append([]byte("\xef\xbb\xbf"), cert...), append([]byte("\xef\xbb\xbf"), key...), nil},
		{"another key", cert, otherKey, []string{"tls.key_file: ", "tls.key: it is not the key of the certificate"}},
		{"the CA first", append(caCert[:len(caCert):len(caCert)], cert...), key, []string{"tls.cert_file: ", "tls.pem: the certificate of a CA comes before"}},
		{"DER", cert, der.Bytes, []string{"tls.key_file: ", "it is DER", "openssl pkey -inform DER -in "}},
		{"encrypted", cert, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der.Bytes}), []string{"the private key is encrypted", "openssl pkey -in "}},
	} {
		g.put(t, c.cert, c.key)
		for _, command := range [][]string{{"config", "check"}, {"serve"}} {
			if c.want == nil && command[0] == "serve" {
				continue
			}
			out, err := g.command(t, command...).CombinedOutput()
			if (err == nil) != (c.want == nil) {
				t.Errorf("%s: %q: %v\n%s", c.name, command, err, out)
			}
			for _, want := range c.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%s: %q has no %q:\n%s", c.name, command, want, out)
				}
			}
		}
	}
	g.put(t, cert, key)
	if err := os.Chmod(filepath.Join(g.dir, "tls.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := g.command(t, "config", "check").CombinedOutput(); err == nil || !strings.Contains(string(out), "defaultMode: 0440") {
		t.Errorf("a key that all may read: %v\n%s", err, out)
	}
}
