// Package acmetest starts a real ACME server for a test: Pebble, which Let's
// Encrypt keeps for that. It believes every name to be on this machine.
package acmetest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// Config says what a Pebble does. The zero value's certificates last for 90 days.
type Config struct {
	HTTPPort int           // where it looks for the answers of HTTP-01
	TLSPort  int           // where it looks for the answers of TLS-ALPN-01
	Validity time.Duration // of certificates
	OCSP     string        // URL of the responder that certificates name; empty: none
}

// Pebble is an ACME server that may be started and stopped.
type Pebble struct {
	Config    Config         // what it was made with
	Directory string         // its URL
	RootFile  string         // PEM: signs its own certificate
	Roots     *x509.CertPool // the same

	management string
	program    string
	config     string
	dns        string
	running    *exec.Cmd
}

// New prepares a Pebble that does not run yet.
func New(t *testing.T, c Config) *Pebble {
	t.Helper()
	dir := t.TempDir()
	p := &Pebble{Config: c, program: program(t), dns: resolver(t), RootFile: filepath.Join(dir, "root.pem"), config: filepath.Join(dir, "pebble.json")}
	p.identity(t, dir)
	address, management := free(t), free(t)
	p.Directory, p.management = "https://"+address+"/dir", "https://"+management
	algorithm := "ecdsa"
	if c.OCSP != "" {
		algorithm = "rsa" // the only keys that it lends to a responder
	}
	settings := map[string]any{
		"listenAddress": address, "managementListenAddress": management,
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"),
		"httpPort": c.HTTPPort, "tlsPort": c.TLSPort, "ocspResponderURL": c.OCSP, "keyAlgorithm": algorithm,
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "default", "validityPeriod": int(c.Validity.Seconds())}},
	}
	text, err := json.Marshal(map[string]any{"pebble": settings})
	must(t, err)
	must(t, os.WriteFile(p.config, text, 0o600))
	return p
}

// identity makes the certificate that Pebble shows.
func (p *Pebble) identity(t *testing.T, dir string) {
	ca, err := listen.NewLocalCA(time.Now())
	must(t, err)
	cert, err := ca.Issue([]string{"127.0.0.1"}, time.Now())
	must(t, err)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	must(t, err)
	for name, block := range map[string]*pem.Block{
		"root.pem": {Type: "CERTIFICATE", Bytes: ca.Certificate()},
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	p.Roots = x509.NewCertPool()
	p.Roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate()}))
}

// Start runs Pebble until Stop or the test's end. It comes up with new keys and
// without a memory.
func (p *Pebble) Start(t *testing.T) {
	t.Helper()
	p.running = exec.Command(p.program, "-config", p.config, "-dnsserver", p.dns)
	p.running.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	var said strings.Builder
	p.running.Stdout, p.running.Stderr = &said, &said
	must(t, p.running.Start())
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("Pebble said:\n%s", &said)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := p.get("/roots/0"); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("Pebble does not come up: %v", err)
		}
	}
}

// Stop ends it as a crash would, if it runs.
func (p *Pebble) Stop() {
	if p.running == nil {
		return
	}
	_ = p.running.Process.Kill() // it is gone already, or goes now
	_ = p.running.Wait()         // killed is how it should end
	p.running = nil
}

// Issued is the root of the certificates that it issues.
func (p *Pebble) Issued(t *testing.T) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(p.Management(t, "/roots/0")) {
		t.Fatal("Pebble has no root")
	}
	return pool
}

// Management gets something from its management interface.
func (p *Pebble) Management(t *testing.T, path string) []byte {
	t.Helper()
	content, err := p.get(path)
	must(t, err)
	return content
}

func (p *Pebble) get(path string) ([]byte, error) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.Roots}, DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get(p.management + path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // read whole, or the error says so
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
