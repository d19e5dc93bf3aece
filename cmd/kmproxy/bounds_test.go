package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// maxIdleKiB bounds the resident memory of a proxy that has nothing to do.
const maxIdleKiB = 40 << 10

// TestBounds starts the built program on a store with one key and on one with
// 10,000, in the long form 100,000, and prints how long it took to be ready and
// what memory it has; and the same of the commands that read everything. Idle
// memory is asserted; times are not, for machines are shared.
func TestBounds(t *testing.T) {
	program := build(t)
	counts := []int{1, 10_000}
	if os.Getenv("KMPROXY_LONG") != "" {
		counts = []int{1, 100_000}
	}
	for _, count := range counts {
		dir := t.TempDir()
		fillStore(t, dir, count)
		took, kib := start(t, program, dir)
		t.Logf("%6d keys: ready after %v, %d KiB resident", count, took.Round(time.Millisecond), kib)
		for _, args := range [][]string{{"key", "list"}, {"--json", "key", "list"}, {"audit", "verify"}, {"backup", "all"}, {"seal", "rotate", "--to", "file:next.key"}} {
			cmd := exec.Command(program, args...)
			cmd.Dir = dir
			begun := time.Now()
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%q: %v", args, err)
			}
			usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			t.Logf("%6d keys: %-30s %8v, %8d KiB at most, printed %d bytes", count, strings.Join(args, " "),
				time.Since(begun).Round(time.Millisecond), usage.Maxrss, len(out))
		}
		if count == 1 && kib > maxIdleKiB {
			t.Errorf("idle memory is %d KiB, wanted at most %d", kib, maxIdleKiB)
		}
	}
}

// start runs the program until it is ready and returns the time that took and its
// resident memory.
func start(t *testing.T, program, dir string) (time.Duration, int) {
	t.Helper()
	public, admin := freeAddress(t), freeAddress(t)
	text := fmt.Sprintf("[listen]\naddress = %q\n[admin]\naddress = %q\n", public, admin)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve")
	cmd.Dir = dir
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("stopping: %v", err)
		}
	}()
	for end := begun.Add(patience); ; time.Sleep(2 * time.Millisecond) {
		answer, err := http.Get("http://" + admin + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("the proxy is not ready")
		}
	}
	return time.Since(begun), resident(t, cmd.Process.Pid)
}

func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("resident memory is read from /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
