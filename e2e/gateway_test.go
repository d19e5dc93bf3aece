package e2e_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that must come at all.
const patience = 60 * time.Second

// program is the built kmproxy, made once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kmproxy-e2e-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it too
		return "", err
	}
	path := filepath.Join(dir, "kmproxy")
	if out, err := exec.Command("go", "build", "-o", path, "kmproxy/cmd/kmproxy").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building kmproxy: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // it is in the temporary folder
	}
	os.Exit(code)
}

// gateway is a folder with a config, and the kmproxy that serves it.
type gateway struct {
	dir           string
	public, admin string // addresses
	log           *syncBuffer
	child         *exec.Cmd
}

// newGateway writes a config that adds extra TOML tables to what every test needs.
func newGateway(t *testing.T, upstream, extra string) *gateway {
	t.Helper()
	g := &gateway{dir: t.TempDir(), public: freeAddress(t), admin: freeAddress(t), log: &syncBuffer{}}
	g.configure(t, upstream, extra)
	return g
}

func (g *gateway) configure(t *testing.T, upstream, extra string) {
	t.Helper()
	text := fmt.Sprintf("[listen]\naddress = %q\n[admin]\naddress = %q\n[upstream]\nurl = %q\n%s", g.public, g.admin, upstream, extra)
	if err := os.WriteFile(filepath.Join(g.dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a command to its end and wants it to succeed.
func (g *gateway) run(t *testing.T, args ...string) map[string]any {
	t.Helper()
	cmd := g.command(t, append([]string{"--json"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kmproxy %q: %v\n%s%s", args, err, out, stderr.Bytes())
	}
	var doc map[string]any
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatalf("kmproxy %q: %v\n%s", args, err, out)
	}
	return doc
}

func (g *gateway) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = g.dir
	return cmd
}

// start serves until the test ends or stop is called.
func (g *gateway) start(t *testing.T) {
	t.Helper()
	g.startAs(t, g.command(t, "serve"))
}

// startAs serves by a command that was prepared otherwise.
func (g *gateway) startAs(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stderr = g.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g.child = cmd
	t.Cleanup(func() {
		if g.child == cmd {
			_ = cmd.Process.Kill() // the test failed before stop
			_ = cmd.Wait()
		}
		if t.Failed() {
			t.Logf("the log:\n%s", g.log.trouble(4<<10))
		}
	})
	g.wantReady(t)
}

func (g *gateway) wantReady(t *testing.T) {
	t.Helper()
	soon(t, "ready", func() bool {
		answer, err := http.Get("http://" + g.admin + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// stop ends the service as its manager would, and wants it to end well.
func (g *gateway) stop(t *testing.T) {
	t.Helper()
	child := g.child
	g.child = nil
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, g.log.trouble(4<<10))
	}
}

// reload sends SIGHUP.
func (g *gateway) reload(t *testing.T) {
	t.Helper()
	if err := g.child.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// roots are the CA that the gateway made for itself.
func (g *gateway) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(g.dir, "data", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("ca.pem holds no certificate")
	}
	return pool
}

// soon wants something to come true before patience ends.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came true: %s", what)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it is free again
	return l.Addr().String()
}

// syncBuffer is a log that is written and read at once.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// trouble is the end of what is logged above information, at most that many bytes.
func (b *syncBuffer) trouble(bytes int) string {
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		if !strings.Contains(line, `"level":"INFO"`) {
			out.WriteString(line)
		}
	}
	all := out.String()
	return all[max(0, len(all)-bytes):]
}

// String is everything that was logged.
func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
