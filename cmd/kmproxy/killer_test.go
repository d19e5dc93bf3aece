package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// killer runs the built program in a folder and ends it at random moments.
type killer struct {
	program string
	dir     string
	store   string // folder of the store, in dir
	config  string
	list    []listed
	seen    world // nil: not looked at since the last change
}

func newKiller(t *testing.T) *killer { return &killer{program: build(t), dir: t.TempDir()} }

// source writes a config that names a store and a key file.
func (k *killer) source(t *testing.T, store, key string) {
	t.Helper()
	text := fmt.Sprintf("[store]\nurl = \"file:%s\"\n[master_key]\nsource = \"file:%s\"\n", store, key)
	if text == k.config {
		return
	}
	k.store, k.config, k.seen = store, text, nil
	if err := os.WriteFile(filepath.Join(k.dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// moment is when a run is killed: so long after its start or, of a writer, after
// the first trace of it in the store. The zero value is never.
type moment struct {
	after  time.Duration
	writes bool
}

// reach is what moments are drawn from. It closes in on what a run takes, so that most
// of them are killed and some are not, however fast the machine is at the time.
type reach time.Duration

func (r reach) moment() moment { return moment{after: rand.N(time.Duration(r)) + 1} }

// learn makes the next moments earlier or later.
func (r *reach) learn(killed bool) {
	if killed {
		*r = *r * 5 / 4
	} else {
		*r = max(*r*2/3, reach(time.Microsecond))
	}
}

// outcome is what came of a run.
type outcome struct {
	report  map[string]any // the document on stdout, whole or nil
	killed  bool
	took    time.Duration
	writing time.Duration // from the first trace in the store to the end; 0: none was seen
}

// run wants the program to do what it is told or to be killed at it.
func (k *killer) run(t *testing.T, at moment, args ...string) outcome {
	t.Helper()
	k.seen = nil
	cmd := k.command(args...)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = write
	before, begun, ended := k.trace(), time.Now(), make(chan struct{})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close() // the child has it
	traced := make(chan time.Time, 1)
	go func() { traced <- k.killAt(cmd, at, before, ended) }()
	var o outcome
	said := json.NewDecoder(read).Decode(&o.report)
	err = cmd.Wait()
	o.took = time.Since(begun)
	close(ended)
	if first := <-traced; !first.IsZero() {
		o.writing = o.took - first.Sub(begun)
	}
	_ = read.Close()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	o.killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	if !o.killed && (err != nil || said != nil) || o.report["error"] != nil {
		t.Fatalf("%q: %v: %v, %v", args, err, o.report, said)
	}
	return o
}

// killAt watches a run to its end, and kills it at its moment. It returns when it
// saw the first trace of writing.
func (k *killer) killAt(cmd *exec.Cmd, at moment, before string, ended <-chan struct{}) (traced time.Time) {
	var kill <-chan time.Time
	if at.after > 0 && !at.writes {
		kill = time.After(at.after)
	}
	look := time.NewTicker(50 * time.Microsecond)
	defer look.Stop()
	for {
		select {
		case <-ended:
			return traced
		case <-kill:
			_ = cmd.Process.Signal(syscall.SIGKILL) // it may have ended
			kill = nil
		case <-look.C:
			if !traced.IsZero() || k.trace() == before {
				continue
			}
			if traced = time.Now(); at.writes {
				kill = time.After(at.after)
			}
		}
	}
}

// trace changes with the first byte that a commit writes.
func (k *killer) trace() (s string) {
	for _, name := range []string{"log.jsonl", "log.jsonl.tmp", "head.json.tmp"} {
		if info, err := os.Stat(filepath.Join(k.dir, k.store, name)); err == nil {
			s += fmt.Sprint(name, info.Size(), info.ModTime())
		}
	}
	return s
}

// midway tells whether a commit was begun and left as it was.
func (k *killer) midway(t *testing.T) bool {
	t.Helper()
	store := filepath.Join(k.dir, k.store)
	staged, err := filepath.Glob(filepath.Join(store, "*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	var head struct{ Length int64 }
	if text, err := os.ReadFile(filepath.Join(store, "head.json")); err == nil {
		if err := json.Unmarshal(text, &head); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Stat(filepath.Join(store, "log.jsonl"))
	return len(staged) > 0 || err == nil && log.Size() != head.Length
}

func (k *killer) command(args ...string) *exec.Cmd {
	cmd := exec.Command(k.program, append([]string{"--json"}, args...)...)
	cmd.Dir = k.dir
	return cmd
}

// must runs the program to its end.
func (k *killer) must(t *testing.T, args ...string) map[string]any {
	t.Helper()
	k.seen = nil
	out, err := k.command(args...).Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	var doc map[string]any
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return doc
}
