package bench_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/bench/load"
)

// references are what a request cannot do without: one RSA-2048 private operation, in
// microseconds of CPU.
type references struct{ openssl, opensslPlain, boring, beside, goRSA []float64 }

func (r *references) measure(b *testing.B, dir string, hop line) {
	r.openssl = append(r.openssl, opensslRSA(b))
	r.opensslPlain = append(r.opensslPlain, opensslRSA(b, "OPENSSL_ia32cap=:~0x200000")) // without AVX-512 IFMA, which most machines lack
	r.boring = append(r.boring, primitive(b, dir, release, "rsa"))
	r.beside = append(r.beside, beside(b, hop, func() float64 { return primitive(b, dir, release, "rsa") }))
	r.goRSA = append(r.goRSA, primitive(b, dir, pureGo, "rsa"))
}

func (r *references) rows(to *report) {
	to.spread("RSA operation, OpenSSL", "%.0f", r.openssl)
	to.spread("RSA operation, OpenSSL without AVX-512", "%.0f", r.opensslPlain)
	to.spread("RSA operation, BoringCrypto", "%.0f", r.boring)
	to.spread("RSA operation, BoringCrypto, while calls go through nginx", "%.0f", r.beside)
	to.spread("RSA operation, Go", "%.0f", r.goRSA)
}

// beside measures while calls go through another process: what the network interrupts
// takes longer, and is charged for it.
func beside(b *testing.B, hop line, measure func() float64) float64 {
	var stop atomic.Bool
	done := make(chan load.Result)
	go func() {
		done <- load.Closed(4, 1<<30, func(worker, i int) error {
			if stop.Load() {
				return errStopped
			}
			return hop.call(worker, i)
		})
	}()
	us := measure()
	stop.Store(true)
	if r := <-done; !errors.Is(r.Err, errStopped) {
		b.Fatal(r.Err)
	}
	return us
}

var errStopped = errors.New("it has lasted long enough")

func opensslRSA(b *testing.B, env ...string) float64 {
	cmd := exec.Command("openssl", "speed", "-seconds", "1", "rsa2048")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	fatal(b, err)
	m := regexp.MustCompile(`(?m)^rsa\s+2048 bits\s+([0-9.]+)s`).FindSubmatch(out)
	if m == nil {
		b.Fatalf("openssl speed said %s", out)
	}
	seconds, err := strconv.ParseFloat(string(m[1]), 64)
	fatal(b, err)
	return seconds * 1e6
}

// primitive runs bench/primitives.
func primitive(b *testing.B, dir string, by toolchain, args ...string) float64 {
	out, err := exec.Command(by.build(b, dir, "kmproxy/bench/primitives"), args...).Output()
	fatal(b, err)
	us, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	fatal(b, err)
	return us
}

// open makes calls at a fixed rate.
func (l line) open(b *testing.B, workers, calls int, perSecond float64) load.Result {
	r := load.Open(workers, calls, perSecond, l.call)
	fatal(b, r.Err)
	return r
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

func least(v []float64) float64 { return slices.Min(v) }
func most(v []float64) float64  { return slices.Max(v) }

func bytesText(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// processor is the machine's, as it calls itself.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	m := regexp.MustCompile(`model name\s*:\s*(.+)`).FindSubmatch(text)
	if err != nil || m == nil {
		return "an unknown processor"
	}
	return string(m[1])
}

func version(b *testing.B, args ...string) string {
	out, err := exec.Command(args[0], args[1:]...).Output()
	fatal(b, err)
	first, _, _ := strings.Cut(string(out), " (")
	return strings.TrimSpace(first)
}
