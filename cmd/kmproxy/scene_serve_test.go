package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// served is the program as a running proxy.
type served struct {
	cmd *exec.Cmd
	log *logged
}

// logged is what the program said so far. It is safe for concurrent use.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve starts the program and waits until it is ready. The caller must stop it.
func (s *scene) serve(t *testing.T) served {
	t.Helper()
	p := served{exec.Command(s.program, "serve"), &logged{}}
	p.cmd.Dir, p.cmd.Stderr = s.dir, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it was stopped, unless the test failed
	soon(t, "it is ready", func() bool { return s.ready() })
	return p
}

func (p served) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("stopping: %v\n%s", err, p.log)
	}
}

func (s *scene) ready() bool {
	ready, _ := s.readiness()
	return ready
}

// readiness is whether the proxy says that it is ready, and what else it says.
func (s *scene) readiness() (ready bool, note string) {
	answer, err := http.Get("http://" + s.admin + "/readyz")
	if err != nil {
		return false, ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK, string(text)
}

// call makes an encrypted call and returns what the program said of it.
func (s *scene) call(id string) (string, error) {
	cmd := exec.Command(s.program, "call", "/api/v1/bankaccounts/ars/auth", "--data", `{"userId":1}`, "--asp-id", id,
		"--access-key", s.access[id], "--key-id", s.key[id], "--server-public-key", s.key[id]+".pem",
		"--client-private-key", s.key[id]+"_client_private.pem")
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "KMPROXY_SECRET_KEY="+s.secret[id])
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// wantServed wants A's calls to be answered, and B's to be refused for their key.
func (s *scene) wantServed(t *testing.T, when string) {
	t.Helper()
	if out, err := s.call(aspA); err != nil || !strings.Contains(out, "authNumber") {
		t.Errorf("%s: %v\n%s", when, err, out)
	}
	if out, err := s.call(aspB); err == nil || !strings.Contains(out, "900_003") {
		t.Errorf("%s: a call under a suspended key: %v\n%s", when, err, out)
	}
}

// TestTamperedWhileServing: a running proxy keeps what it holds, says what it
// found, and goes on when the store is put right.
func TestTamperedWhileServing(t *testing.T) {
	s := newScene(t, newKiller(t))
	p := s.serve(t)
	s.wantServed(t, "untouched")
	kinds := []string{"the log cut in a line", "head.json put back", "records of two projects exchanged",
		"an older version of a record put back", "a record deleted", "the last audit entry deleted"}
	for _, c := range append(broken, forged...) {
		at := slices.Index(kinds, c.what)
		if at < 0 {
			continue
		}
		kinds = slices.Delete(kinds, at, at+1)
		if c.what == "the last audit entry deleted" {
			c.names = "audit entry 7" // a start names the record that is left without its entry
		}
		before := len(p.log.String())
		c.how(t, s)
		soon(t, c.what+" is told and named", func() bool {
			ready, note := s.readiness()
			return ready && strings.Contains(note, "is not followed") && strings.Contains(note, c.names) &&
				strings.Contains(p.log.String()[before:], "cannot be followed")
		})
		s.wantServed(t, c.what)
		s.putBack(t)
		soon(t, "after "+c.what+" nothing is wrong", func() bool { _, note := s.readiness(); return note == "ok\n" })
	}
	if len(kinds) > 0 {
		t.Errorf("not tried: %q", kinds)
	}
	s.must(t, "key", "suspend", s.key[aspA])
	soon(t, "it follows the store again", func() bool { out, _ := s.call(aspA); return strings.Contains(out, "900_003") })
	p.stop(t)
}
