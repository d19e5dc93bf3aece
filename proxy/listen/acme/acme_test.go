package acme_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/listen/acme"
)

// TestIssue: either challenge gets a certificate, which is served over HTTP/1.1
// and HTTP/2, and its files are readable by their owner alone.
func TestIssue(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setting{"http.kmproxy.test": {noTLS: true}, "alpn.kmproxy.test": {noHTTP: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, run := newWorld(t, name, s)
			w.pebble.Start(t)
			run()
			if _, err := w.manager.Ready(time.Now()); err == nil || !strings.Contains(err.Error(), "no certificate for "+name) {
				t.Errorf("before there is a certificate: %v", err)
			}
			if _, err := w.dial(t, nil); err == nil {
				t.Error("before there is a certificate, a handshake succeeds")
			}
			w.ready(t)
			if asked := w.asked.Load(); (asked > 0) != s.noTLS {
				t.Errorf("HTTP-01 was asked for %d times", asked)
			}
			roots := w.pebble.Issued(t)
			w.serves(t, roots)
			w.reportsLateRenewal(t, roots)
			w.isPrivate(t)
			if !strings.Contains(w.log.String(), "a certificate was obtained") {
				t.Error("the log does not tell")
			}
		})
	}
}

// serves makes a request over either protocol, and one that names no host.
func (w *world) serves(t *testing.T, roots *x509.CertPool) {
	t.Helper()
	for _, c := range []struct {
		h2   bool
		want string
	}{{false, "HTTP/1.1"}, {true, "HTTP/2.0"}} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: w.name}, ForceAttemptHTTP2: c.h2}
		answer, err := (&http.Client{Transport: transport}).Get("https://" + w.address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != c.want {
			t.Errorf("spoke %q, %v, want %s", body, err, c.want)
		}
		_ = answer.Body.Close()
		transport.CloseIdleConnections()
	}
	if _, err := tls.Dial("tcp", w.address, &tls.Config{InsecureSkipVerify: true}); err != nil { // what is asked is whether there is one
		t.Errorf("a client that names no host: %v", err)
	}
}

func (w *world) isPrivate(t *testing.T) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(w.config.Folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		files++
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("%d files and folders, %v", files, err)
	}
}

// TestRenew: a certificate is replaced before it ends, and open
// connections keep working.
func TestRenew(t *testing.T) {
	t.Parallel()
	s := setting{noHTTP: true}
	s.pebble.Validity = 8 * time.Second
	w, run := newWorld(t, "renew.kmproxy.test", s)
	w.pebble.Start(t)
	run()
	w.ready(t)
	roots := w.pebble.Issued(t)
	open, err := w.dial(t, roots)
	if err == nil {
		err = request(open)
	}
	if err != nil {
		t.Fatal(err)
	}
	first := w.serial(t, roots)
	w.wait(t, "another certificate", func() bool { return w.serial(t, roots) != first })
	if err := request(open); err != nil {
		t.Errorf("a connection from before: %v", err)
	}
	if note, err := w.manager.Ready(time.Now()); note != "" || err != nil {
		t.Errorf("%q, %v", note, err)
	}
	if !strings.Contains(w.log.String(), "renewal=true") {
		t.Error("the log does not tell of a renewal")
	}
}

// TestDownAtStart: without the ACME server there is no certificate, which is said,
// and as soon as the server is there, so is the certificate.
func TestDownAtStart(t *testing.T) {
	t.Parallel()
	w, run := newWorld(t, "late.kmproxy.test", setting{noHTTP: true})
	run()
	w.wait(t, "a failed attempt", func() bool {
		_, err := w.manager.Ready(time.Now())
		return err != nil && strings.Contains(err.Error(), "the last attempt to get one failed")
	})
	if !strings.Contains(w.log.String(), "the ACME server cannot be reached") {
		t.Error("the log does not tell")
	}
	w.pebble.Start(t)
	w.ready(t)
	if _, err := w.dial(t, w.pebble.Issued(t)); err != nil {
		t.Error(err)
	}
}

// TestDownAtRenewal: the certificate stays in use as long as it is valid, the log
// and the status say what is wrong, and a process that starts meanwhile has it
// from the folder.
func TestDownAtRenewal(t *testing.T) {
	t.Parallel()
	s := setting{noHTTP: true}
	s.pebble.Validity = 15 * time.Second
	w, run := newWorld(t, "gone.kmproxy.test", s)
	w.pebble.Start(t)
	run()
	w.ready(t)
	roots := w.pebble.Issued(t)
	w.pebble.Stop()
	first := w.serial(t, roots)
	next := w.again(t)
	next.ready(t)
	if got := next.serial(t, roots); got != first {
		t.Errorf("the next process serves another certificate: %s", got)
	}
	next.stop()
	w.wait(t, "a renewal that fails", func() bool {
		note, err := w.manager.Ready(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(note, "gone.kmproxy.test cannot be renewed and ends at ")
	})
	if got := w.serial(t, roots); got != first {
		t.Errorf("another certificate is served: %s", got)
	}
	if !strings.Contains(w.log.String(), "a certificate cannot be renewed: the one before stays in use") {
		t.Error("the log does not tell")
	}
	if _, err := w.manager.Ready(time.Now().Add(time.Minute)); err == nil || !strings.Contains(err.Error(), "expired at") {
		t.Errorf("when it has ended: %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := acme.New(acme.Config{}); !errors.Is(err, acme.ErrConfig) {
		t.Errorf("got %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w, _ := newWorld(t, "folder.kmproxy.test", setting{})
	c := w.config
	c.Folder = file
	if _, err := acme.New(c); err == nil || !strings.Contains(err.Error(), "making the folder") {
		t.Errorf("got %v", err)
	}
}
