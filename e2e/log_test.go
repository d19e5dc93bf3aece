package e2e_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLogReaders serves beside every way in which the log cannot be written: each
// call is answered, lines that are lost are counted, and the service ends when it is
// told to, with every call in its ledger.
func TestLogReaders(t *testing.T) {
	const calls = 60 // their lines are more than a pipe of one page holds
	for _, c := range []struct {
		name    string
		stderr  func(t *testing.T) *os.File // nil: the shell closes it
		dropped bool
	}{
		{"stalled", func(t *testing.T) *os.File { _, w := pagePipe(t); return w }, false},
		{"lost", lostReader, true},
		{"full", func(t *testing.T) *os.File { return openForWriting(t, "/dev/full") }, true},
		{"closed", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGateway(t, newUpstream(t).URL, "")
			p := newProvider(t, g, 1)
			var to *os.File
			if c.stderr != nil {
				to = c.stderr(t)
			}
			g.startMute(t, to)
			p.connect(t, g.roots(t))
			for i := range calls {
				if err := p.ask(t.Context(), strconv.Itoa(i)); err != nil {
					t.Fatal(err)
				}
			}
			if c.dropped {
				soon(t, "dropped lines are counted", func() bool { return g.sample(t, "kmproxy_log_lines_dropped_total") > 0 })
			}
			g.stopInTime(t)
			if n := g.usedRequests(t); n != calls {
				t.Errorf("the ledger has %v calls, want %d", n, calls)
			}
		})
	}
}

// stopInTime stops as stop does, but does not wait for ever for a service that waits
// for its log's reader. The bound is for a busy machine; the log of the test has the
// time.
func (g *gateway) stopInTime(t *testing.T) {
	t.Helper()
	child, began := g.child, time.Now()
	enough := time.AfterFunc(patience/2, func() { _ = child.Process.Kill() }) // stop reports it
	defer enough.Stop()
	g.stop(t)
	t.Logf("it ended after %v", time.Since(began))
}

// TestLogReaderLeaves: the reader reads the first lines, then it is gone.
func TestLogReaderLeaves(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	p := newProvider(t, g, 1)
	r, w := pagePipe(t)
	g.startMute(t, w)
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	p.connect(t, g.roots(t))
	for i := range 20 {
		if err := p.ask(t.Context(), strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	g.stop(t)
	if n := g.usedRequests(t); n != 20 {
		t.Errorf("the ledger has %v calls, want 20", n)
	}
}

// TestDroppedLinesAreReported: a reader that comes back is told how many lines it
// missed.
func TestDroppedLinesAreReported(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	r, w := pagePipe(t)
	g.startMute(t, w)
	reach := func() bool { return g.sample(t, "kmproxy_log_lines_dropped_total") > 0 }
	flood := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: g.roots(t)}}}
	defer flood.CloseIdleConnections()
	for !reach() { // a line each
		for range 2000 {
			answer, err := flood.Get("https://" + g.public + "/nowhere")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	}
	go func() { _, _ = io.Copy(g.log, r) }()
	want := regexp.MustCompile(`"msg":"[1-9]\d* log lines were dropped"`)
	soon(t, "the log reports what it dropped", func() bool { return want.MatchString(g.log.String()) })
	g.stop(t)
}

// startMute serves with stderr as given; nil: closed.
func (g *gateway) startMute(t *testing.T, stderr *os.File) {
	t.Helper()
	cmd := g.command(t, "serve")
	if stderr == nil {
		cmd = exec.Command("sh", "-c", `exec "$0" serve 2>&-`, cmd.Path)
		cmd.Dir = g.dir
	} else {
		cmd.Stderr = stderr
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if stderr != nil {
		_ = stderr.Close() // it is the child's now
	}
	g.child = cmd
	t.Cleanup(func() {
		if g.child == cmd {
			_ = cmd.Process.Kill() // the test failed before stop
			_ = cmd.Wait()
		}
	})
	g.wantReady(t)
}

// pipeBytes is what a pipe of pagePipe holds.
const pipeBytes = 4096

// pagePipe is a pipe of one page.
func pagePipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, pipeBytes); err != nil {
		t.Fatal(err)
	}
	return r, w
}

func lostReader(t *testing.T) *os.File {
	t.Helper()
	r, w := pagePipe(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

func openForWriting(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// sample is the value of the metric whose name and labels match; -1: there is none.
func (g *gateway) sample(t *testing.T, pattern string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + g.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + pattern + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		return -1
	}
	value, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// usedRequests is how many requests `key usage` says were opened.
func (g *gateway) usedRequests(t *testing.T) float64 {
	t.Helper()
	sum := 0.0
	for _, row := range g.run(t, "key", "usage")["usage"].([]any) {
		if use := row.(map[string]any); use["direction"] == "request" {
			sum += use["requests"].(float64)
		}
	}
	return sum
}

// TestDemoOnHangup: a demo whose terminal is closed, and one whose reader leaves,
// remove their folder.
func TestDemoOnHangup(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) { demoEnds(t, func(c *exec.Cmd, _ *os.File) { _ = c.Process.Signal(sig) }) })
	}
	t.Run("reader leaves", func(t *testing.T) { demoEnds(t, func(_ *exec.Cmd, r *os.File) { _ = r.Close() }) })
}

// TestStalledDemo: a demo whose output and errors are full and not read ends when it is
// told to, and removes its folder.
func TestStalledDemo(t *testing.T) {
	for _, args := range [][]string{nil, {"--json"}, {"--json", "--once"}} {
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT} {
			t.Run(strings.Join(append(args, sig.String()), " "), func(t *testing.T) {
				demoEnds(t, func(c *exec.Cmd, _ *os.File) { _ = c.Process.Signal(sig) }, stalledDemo(args))
			})
		}
	}
}

// stalledDemo gives a demo more arguments, and a full pipe for its output and errors.
func stalledDemo(args []string) func(*testing.T, *exec.Cmd, *os.File) {
	return func(t *testing.T, cmd *exec.Cmd, w *os.File) {
		if _, err := w.Write(make([]byte, pipeBytes)); err != nil {
			t.Fatal(err)
		}
		cmd.Args, cmd.Stderr = append(cmd.Args, args...), w
	}
}

// demoEnds starts a demo, lets end end it as soon as its folder is there, and wants
// the folder to be gone with it.
func demoEnds(t *testing.T, end func(*exec.Cmd, *os.File), changes ...func(*testing.T, *exec.Cmd, *os.File)) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	r, w := pagePipe(t)
	ctx, enough := context.WithTimeout(t.Context(), patience)
	defer enough()
	cmd := exec.CommandContext(ctx, path, "demo")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+cmd.Dir)
	cmd.Stdout = w
	for _, change := range changes {
		change(t, cmd, w)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP) // where tests run under nohup, the child would inherit that it is ignored
	defer signal.Stop(hup)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	left := func() int {
		entries, err := os.ReadDir(cmd.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	soon(t, "its folder is there", func() bool { return left() > 0 })
	end(cmd, r)
	_ = cmd.Wait() // with any code
	if n := left(); n != 0 {
		t.Errorf("it left %d entries in its temporary folder", n)
	}
}
