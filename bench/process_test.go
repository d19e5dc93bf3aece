package bench_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// start runs a gateway until the benchmark ends, and returns when it listens.
func start(b *testing.B, cmd *exec.Cmd, address string) int {
	fatal(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to lose
		_ = cmd.Wait()
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return cmd.Process.Pid
		}
		if time.Now().After(end) {
			b.Fatalf("%s does not listen: %v", cmd, err)
		}
	}
}

// toolchain is how a program is built: kmproxy's own make targets do the same.
type toolchain string

const (
	pureGo  toolchain = "Go"
	release toolchain = "BoringCrypto"
)

func (t toolchain) build(b *testing.B, dir, pkg string) string {
	name := filepath.Join(dir, filepath.Base(pkg)+"-"+string(t))
	cmd := exec.Command("go", "build", "-o", name, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if t == release {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOEXPERIMENT=boringcrypto")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return name
}

// cpuOf is what a process has used, user and system: /proc/PID/schedstat of its
// threads, for the ticks of stat are too coarse.
func cpuOf(b *testing.B, pid int) (used time.Duration) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	fatal(b, err)
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		n, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		fatal(b, err)
		used += time.Duration(n)
	}
	return used
}

// residentMiB is the memory that a process has now.
func residentMiB(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	fatal(b, err)
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		b.Fatalf("no VmRSS in %s", text)
	}
	kB, err := strconv.ParseFloat(string(m[1]), 64)
	fatal(b, err)
	return kB / 1024
}

func freeAddress(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	fatal(b, err)
	defer func() { _ = l.Close() }() // it is free again
	return l.Addr().String()
}

func fatal(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
