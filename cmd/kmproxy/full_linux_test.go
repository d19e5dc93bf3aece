package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// newDisk is a killer in a folder that is a small disk of its own. A laptop may
// not let the test mount one, CI must.
func newDisk(t *testing.T) *killer {
	t.Helper()
	k := newKiller(t)
	err := unix.Mount("tmpfs", k.dir, "tmpfs", 0, "size=4m")
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("mounting a small disk: %v", err)
	case err != nil:
		t.Skipf("mounting a small disk takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(k.dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return k
}

const page = 4096 // what a file takes of the disk is a multiple of it

// fill leaves so many pages of the disk free.
func (k *killer) fill(t *testing.T, room int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(k.dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // nobody reads it
	size := int64(0)
	for err == nil {
		var n int
		n, err = f.Write(make([]byte, page))
		size += int64(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Truncate(max(0, size-room*page)); err != nil {
		t.Fatal(err)
	}
}

func (k *killer) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join(k.dir, "filler")); err != nil {
		t.Fatal(err)
	}
}

func (k *killer) remount(t *testing.T, flags uintptr) {
	t.Helper()
	if err := unix.Mount("", k.dir, "", unix.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk tries every command that changes the store on a full disk, and with
// more room each time until it is done: it fails as a whole, and says what is full.
func TestFullDisk(t *testing.T) {
	o := newOffice(t, newDisk(t), 1)
	for _, kind := range killings {
		args, change := kind.ready(t, o)
		before := o.look(t)
		refused, done := 0, false
		for room := int64(0); !done; room = max(1, 2*room) {
			o.fill(t, room)
			if done = o.try(t, args, "no space left on device", "the disk is full"); !done {
				refused++
				o.wantBefore(t, kind, args, before)
			}
			o.free(t)
		}
		if refused == 0 {
			t.Errorf("%s: the disk was never full", kind.name)
		}
		o.wantAfter(t, kind, before, change)
	}
}

// TestReadOnlyDisk: what cannot be written can still be read, and says why.
func TestReadOnlyDisk(t *testing.T) {
	o := newOffice(t, newDisk(t), 1)
	for _, kind := range killings {
		args, change := kind.ready(t, o)
		before := o.look(t)
		o.remount(t, unix.MS_RDONLY)
		if o.try(t, args, "read-only file system", "the file system is read-only") {
			t.Errorf("%s: it was done on a read-only disk", kind.name)
		}
		o.wantBefore(t, kind, args, before)
		o.remount(t, 0)
		if !o.try(t, args, "", "") {
			t.Errorf("%s: it was not done afterwards", kind.name)
		}
		o.wantAfter(t, kind, before, change)
	}
}

// try tells whether a command was done; if not, it wants the reason and what to do.
func (o *office) try(t *testing.T, args []string, reason, hint string) bool {
	t.Helper()
	o.seen = nil
	cmd := o.command(args...)
	out, err := cmd.Output()
	if err == nil {
		return true
	}
	var doc struct{ Error, Hint string }
	parsed := json.Unmarshal(out, &doc)
	where := strings.Contains(doc.Error, o.dir) || strings.Contains(doc.Error, "./.new-") // what becomes the client's private key
	if parsed != nil || cmd.ProcessState.ExitCode() != exitFailed ||
		!where || !strings.Contains(doc.Error, reason) || !strings.Contains(doc.Hint, hint) {
		t.Fatalf("%q: %v: want %s, and where:\n%s", args, err, reason, out)
	}
	return false
}

// wantBefore wants the store as it was and nothing left behind. A re-sealing may
// have come to half of it: then the same command goes on.
func (o *office) wantBefore(t *testing.T, kind killing, args []string, before world) {
	t.Helper()
	if kind.settle == nil && !o.look(t).is(before) {
		t.Fatalf("%q failed and changed the store:\n%v\nwas\n%v", args, o.look(t), before)
	}
	for _, pattern := range []string{".new-*", "*/.new-*", "*/*.tmp"} {
		if left, err := filepath.Glob(filepath.Join(o.dir, pattern)); err != nil || len(left) > 0 {
			t.Fatalf("%q failed and left %q, %v", args, left, err)
		}
	}
}

// wantAfter wants what the command changes, and nothing else.
func (o *office) wantAfter(t *testing.T, kind killing, before, change world) {
	t.Helper()
	if kind.settle != nil {
		kind.settle(t, o, outcome{report: map[string]any{}})
	}
	delete(before, "audit")
	after, want := o.look(t), before.with(change)
	want["audit"] = anyNumber
	if !after.is(want) {
		t.Fatalf("%s: got\n%v\nwant\n%v", kind.name, after, want)
	}
	o.source(t, "data", o.master)
}

// TestServesOnFullDisk: a proxy that cannot write its ledger serves, says so, and
// catches up.
func TestServesOnFullDisk(t *testing.T) {
	s := newScene(t, newDisk(t))
	p := s.serve(t)
	s.wantServed(t, "with room")
	soon(t, "the ledger counts a call", func() bool { return s.counted(t) == 1 })
	s.fill(t, 0)
	s.wantServed(t, "without room")
	soon(t, "the log says that the disk is full", func() bool {
		return strings.Contains(p.log.String(), "the usage ledger cannot be written") && strings.Contains(p.log.String(), "no space left on device")
	})
	s.wantServed(t, "without room, later")
	if n := s.counted(t); n != 1 {
		t.Errorf("the ledger counts %v calls", n)
	}
	if !s.ready() {
		t.Error("it says that it is not ready")
	}
	s.free(t)
	soon(t, "the ledger counts every call", func() bool { return s.counted(t) == 3 })
	p.stop(t)
}

// counted is how many requests of A the ledgers tell.
func (s *scene) counted(t *testing.T) float64 {
	t.Helper()
	for _, use := range s.must(t, "key", "usage")["usage"].([]any) {
		if u := use.(map[string]any); u["key_id"] == s.key[aspA] {
			return u["requests"].(float64)
		}
	}
	return 0
}
