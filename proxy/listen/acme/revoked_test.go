package acme_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"golang.org/x/crypto/ocsp"

	"kmproxy/proxy/listen/acme/acmetest"
)

// TestRevoked: the OCSP answer is stapled, and when the ACME server has revoked
// the certificate another takes its place.
func TestRevoked(t *testing.T) {
	t.Parallel()
	asked := listener(t)
	s := setting{noHTTP: true, pebble: acmetest.Config{OCSP: "http://" + asked.Addr().String()}}
	w, run := newWorld(t, "revoked.kmproxy.test", s)
	w.pebble.Start(t)
	respond(t, asked, w.pebble)
	run()
	w.ready(t)
	roots := w.pebble.Issued(t)
	w.wait(t, "a stapled answer", func() bool { return w.staple(t, roots) })
	first := w.serial(t, roots)
	w.revoke(t)
	w.wait(t, "another certificate", func() bool { return w.serial(t, roots) != first })
	w.wait(t, "a stapled answer", func() bool { return w.staple(t, roots) })
	if !strings.Contains(w.log.String(), "a certificate was revoked: it is replaced") {
		t.Error("the log does not tell")
	}
}

// staple reports whether a handshake carries an answer that says good.
func (w *world) staple(t *testing.T, roots *x509.CertPool) bool {
	t.Helper()
	conn, err := w.dial(t, roots)
	if err != nil {
		t.Fatal(err)
	}
	state := conn.ConnectionState()
	if len(state.OCSPResponse) == 0 {
		return false
	}
	answer, err := ocsp.ParseResponseForCert(state.OCSPResponse, state.PeerCertificates[0], state.PeerCertificates[1])
	return err == nil && answer.Status == ocsp.Good
}

// revoke has the ACME server revoke the certificate, by the account that got it.
func (w *world) revoke(t *testing.T) {
	t.Helper()
	var cache *certmagic.Cache
	var magic *certmagic.Config
	cache = certmagic.NewCache(certmagic.CacheOptions{GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil }})
	defer cache.Stop()
	magic = certmagic.New(cache, certmagic.Config{Storage: &certmagic.FileStorage{Path: w.config.Folder}})
	issuer := certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{CA: w.config.Directory, TrustedRoots: w.config.Roots, Agreed: true})
	files, err := filepath.Glob(filepath.Join(w.config.Folder, "certificates", "*", w.name, w.name+".crt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d certificates, %v", len(files), err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := issuer.Revoke(context.Background(), certmagic.CertificateResource{SANs: []string{w.name}, CertificatePEM: text}, 0); err != nil {
		t.Fatal(err)
	}
}

// respond is the OCSP responder that Pebble has none of: it says, under the key of
// Pebble's intermediate, what Pebble knows.
func respond(t *testing.T, l net.Listener, p *acmetest.Pebble) {
	t.Helper()
	issuer, err := x509.ParseCertificate(decoded(t, p.Management(t, "/intermediates/0")))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS1PrivateKey(decoded(t, p.Management(t, "/intermediate-keys/0")))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		question, err := ocsp.ParseRequest(body)
		if err != nil {
			t.Error(err)
			return
		}
		var known struct{ Status string }
		if err := json.Unmarshal(p.Management(t, fmt.Sprintf("/cert-status-by-serial/%x", question.SerialNumber)), &known); err != nil {
			t.Error(err)
		}
		a := ocsp.Response{Status: ocsp.Good, SerialNumber: question.SerialNumber, Certificate: nil,
			ThisUpdate: time.Now().Add(-time.Second), NextUpdate: time.Now().Add(2 * time.Second)}
		if known.Status == "Revoked" {
			a.Status, a.RevokedAt = ocsp.Revoked, time.Now()
		}
		answer, err := ocsp.CreateResponse(issuer, issuer, a, key)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(answer) // the client went away
	}))
	_ = s.Listener.Close() // the one that it has made
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
}

func decoded(t *testing.T, text []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("no PEM: %q", text)
	}
	return block.Bytes
}
