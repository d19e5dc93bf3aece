package filestore_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

func TestTwoProcessesLoseNoUpdate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	one, two := child(t, "increment", dir), child(t, "increment", dir)
	one.Stderr, two.Stderr = os.Stderr, os.Stderr
	if err := errors.Join(one.Start(), two.Start()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(one.Wait(), two.Wait()); err != nil {
		t.Fatal(err)
	}
	if got := load(t, open(t, dir)); string(got.Entries["counter"].Value) != "100" || got.Revision != 2*increments {
		t.Errorf("two processes made %d increments each: %s", increments, show(got))
	}
}

func TestReadOnlyFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	commit(t, open(t, dir), set("a", `1`))
	before := read(t, dir)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	wantChild(t, "read only", dir)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	wantSame(t, load(t, open(t, dir)), keys.Snapshot{Revision: 1, Entries: map[string]keys.Entry{"a": {Value: []byte(`1`), Revision: 1}}})
	if after := read(t, dir); len(after) != len(before) {
		t.Errorf("the folder has %d files, had %d", len(after), len(before))
	}
}

// TestFullDisk also begins where a writer died before it wrote the head of a new
// log: what the next one does first must hold if the rest of it fails.
func TestFullDisk(t *testing.T) {
	h := small(t)
	for name, left := range map[string]files{
		"whole":       h.files[3],
		"head behind": h.files[3].with("head.json", h.files[2]["head.json"]),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, left)
			wantChild(t, "full disk", dir)
			wantSame(t, load(t, open(t, dir)), h.snaps[3])
			if !maps.EqualFunc(read(t, dir), h.files[3], bytes.Equal) {
				t.Errorf("the files were changed: %s", read(t, dir))
			}
		})
	}
}

// TestNoRoomForTheHead has the first commit fail after its log was written: the
// log must not be in place yet.
func TestNoRoomForTheHead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	wantChild(t, "room for a log", dir)
	if left := read(t, dir); len(left) != 0 {
		t.Errorf("the commit that failed left %s", left)
	}
	if snap := commit(t, open(t, dir), del("a")); snap.Revision != 1 {
		t.Errorf("the first commit that succeeds made %s", show(snap))
	}
}

// TestFewFiles has every file but the first few fail to open.
func TestFewFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	commit(t, open(t, dir), set("a", `1`))
	wantChild(t, "few files", dir)
}

// TestLockIsHeld has another open file hold the lock, as another process would.
func TestLockIsHeld(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	want := commit(t, s, set("a", `1`))
	other, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := unix.Flock(int(other.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	wantSame(t, load(t, s), want)

	s.SetPatience(20 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = s.Commit(ctx, 1, set("a", `2`))
	if !errors.Is(err, filestore.ErrBusy) || ctx.Err() != nil || !strings.Contains(err.Error(), dir+"/lock") {
		t.Errorf("got %v, want an error that names the lock", err)
	}
	s.SetPatience(time.Hour)
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err = s.Commit(ctx, 1, set("a", `2`)); !errors.Is(err, filestore.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the end of the context", err)
	}
	wantSame(t, load(t, s), want)
	if err := unix.Flock(int(other.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	commit(t, s, set("a", `2`))
}

func TestEndedContext(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("load gave %v", err)
	}
	if _, err := s.Commit(ctx, 0, set("a", `1`)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit gave %v", err)
	}
	wantSame(t, load(t, s), keys.Snapshot{})
}
