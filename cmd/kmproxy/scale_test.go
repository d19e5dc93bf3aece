package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/ring"
)

// shortScale is how many keys there are if SCALE does not say it.
const shortScale = 10_000

// TestScale prints what the built program costs on a store of SCALE keys: the time
// of each command and its largest resident memory. Nothing is asserted of them, for
// machines are shared; that every command does its work is. The long form does so
// with one key a project too.
func TestScale(t *testing.T) {
	count, program := numberFrom(t, "SCALE", shortScale), build(t)
	for _, each := range []int{2, 1} {
		if each == 1 && count <= shortScale {
			return
		}
		s := &scale{killer: &killer{program: program, dir: t.TempDir()}}
		s.measure(t, count, each)
		t.Logf("%d keys in %d projects:\n%s", count, count/each, s)
	}
}

// scale is a large store, and what was measured on it.
type scale struct {
	*killer
	rows []cost
}

// cost is one row of the table.
type cost struct {
	what string
	took time.Duration
	cpu  time.Duration // of all processors; 0: not measured
	kib  int           // the largest resident memory; 0: of no process of its own
}

func (s *scale) measure(t *testing.T, count, each int) {
	begun := time.Now()
	fillProjects(t, s.dir, count, each)
	s.note(cost{what: "fill (the test itself)", took: time.Since(begun)})
	ready, kib := start(t, s.program, s.dir)
	s.note(cost{what: "serve, until it is ready", took: ready, kib: kib})
	if count > shortScale { // the benchmarks of package keys do so with a small ring
		s.note(cost{what: "look-up by access key and key id", took: s.lookUp(t, count, each)})
	}
	s.source(t, "data", "data/master.key")
	if n := bytes.Count(s.cost(t, "key", "list"), []byte(`"key_id":`)); n != count {
		t.Fatalf("%d keys are listed", n)
	}
	const fresh = "A00000000000000"
	s.cost(t, "project", "create", "--asp-id", fresh)
	s.cost(t, "key", "create", "--asp-id", fresh)
	s.cost(t, "key", "promote", s.must(t, "key", "create", "--asp-id", fresh)["key_id"].(string))
	s.cost(t, "project", "suspend", fmt.Sprintf("%015d", 0)) // which has rested since the fill
	s.cost(t, "audit", "verify")
	s.cost(t, "backup", "all.backup")
	s.source(t, "copy", "data/master.key")
	s.cost(t, "restore", "all.backup")
	s.source(t, "data", "data/master.key")
	s.cost(t, "seal", "rotate", "--to", "file:data/next.key")
	s.source(t, "data", "data/next.key")
	s.must(t, "audit", "verify")
}

func (s *scale) note(c cost) { s.rows = append(s.rows, c) }

// lookUp is the time of finding a key as a request does, in a ring of the store.
func (s *scale) lookUp(t *testing.T, count, each int) time.Duration {
	t.Helper()
	const times = 1_000_000
	vault, err := wire.OpenVault(t.Context(), config.Default(s.dir), wire.World{Getenv: os.Getenv, Now: time.Now}, wire.ToRead)
	if err != nil {
		t.Fatal(err)
	}
	live, err := ring.Open(t.Context(), vault.Store, vault.Master)
	if err != nil {
		t.Fatal(err)
	}
	ring, numbers, now := live.Ring(), make([]int, 4096), time.Now()
	access, ids := make([]keys.AccessKey, len(numbers)), make([]keys.KeyID, len(numbers))
	for i := range numbers {
		n := rand.N(count)
		access[i], ids[i] = keys.AccessKey(fmt.Sprintf("%040d", n-n%each)), keys.KeyID(fmt.Sprintf("%032x", n))
	}
	begun := time.Now()
	for i := range times {
		m, _ := ring.ByAccessKey(access[i%len(access)], now)
		if _, ok := m.Key(ids[i%len(ids)]); !ok {
			t.Fatalf("there is no key %s", ids[i%len(ids)])
		}
	}
	return time.Since(begun) / times
}

// cost does a command and notes what it cost.
func (s *scale) cost(t *testing.T, args ...string) []byte {
	t.Helper()
	out, c := s.costOf(t, args...)
	s.note(c)
	return out
}

// costOf is what a command said, how long it took and its largest resident memory.
// The kernel's own figure for a child that has ended is no use: it begins with the
// memory of its parent.
func (s *scale) costOf(t *testing.T, args ...string) ([]byte, cost) {
	t.Helper()
	cmd, begun := s.command(args...), time.Now()
	var out bytes.Buffer
	var c cost
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			c.kib = max(c.kib, memory(cmd.Process.Pid, "VmHWM:"))
		case err := <-ended:
			c.what = strings.Join(args[:2], " ")
			c.took, c.cpu = time.Since(begun), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
			if err != nil {
				t.Fatalf("%q: %v\n%.1000s", args, err, &out)
			}
			return out.Bytes(), c
		}
	}
}

func (s *scale) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "what\ttook\tprocessors\tmemory\t")
	for _, r := range s.rows {
		cpu, memory := "", ""
		if r.cpu > 0 {
			cpu = r.cpu.Round(time.Millisecond).String()
		}
		if r.kib > 0 {
			memory = fmt.Sprint(r.kib>>10, " MiB")
		}
		took := r.took
		if took > time.Millisecond {
			took = took.Round(time.Millisecond)
		}
		_, _ = fmt.Fprintf(w, "%s\t%v\t%s\t%s\t\n", r.what, took, cpu, memory)
	}
	_ = w.Flush()
	return text.String()
}
