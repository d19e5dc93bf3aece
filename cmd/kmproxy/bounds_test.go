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

// TestBounds starts the built program on a store with one key, and bounds the
// memory that it has when it is ready. TestScale looks at a large store.
func TestBounds(t *testing.T) {
	dir := t.TempDir()
	fillStore(t, dir, 1)
	took, kib := start(t, build(t), dir)
	t.Logf("ready after %v, %d KiB resident", took.Round(time.Millisecond), kib)
	if kib == 0 && os.Getenv("CI") != "true" {
		t.Skip("resident memory is read from /proc, which this system has not")
	}
	if kib == 0 || kib > maxIdleKiB {
		t.Errorf("idle memory is %d KiB, wanted at most %d", kib, maxIdleKiB)
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
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatal("the proxy is not ready")
		}
	}
	return time.Since(begun), memory(cmd.Process.Pid, "VmRSS:")
}

// memory is a line of a process's status on Linux, in KiB; 0 if there is none.
func memory(pid int, line string) (kib int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), line)
	_, _ = fmt.Sscan(rest, &kib)
	return kib
}
