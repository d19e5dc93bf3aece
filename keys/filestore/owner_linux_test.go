package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kmproxy/keys/filestore"
)

// other is a uid and gid that the tests give files to.
const other = 65532

// TestRootKeepsTheOwner wants files that root makes and replaces in the folder of
// another user to stay that user's.
func TestRootKeepsTheOwner(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chown(dir, other, other); err != nil {
		t.Fatalf("this test wants to be root: %v", err)
	}
	s := open(t, dir)
	commit(t, s, set("a", `1`))
	if err := os.Chmod(filepath.Join(dir, "head.json"), 0o640); err != nil {
		t.Fatal(err)
	}
	commit(t, s, set("a", `2`))
	commit(t, s, erase("a", `3`))
	l, _, err := s.OpenLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Write(nil), l.Close()); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"log.jsonl": 0o600, "head.json": 0o640, "lock": 0o600, "usage": 0o700 | os.ModeDir, "usage/0.json": 0o600, "usage/0.json.lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if is := info.Sys().(*syscall.Stat_t); is.Uid != other || is.Gid != other || info.Mode() != mode {
			t.Errorf("%s is of %d:%d with mode %v, want %d:%d and %v", name, is.Uid, is.Gid, info.Mode(), other, other, mode)
		}
	}
}

// TestOtherUserIsRefused has a process of a user that may write into the folder,
// but does not own the files, be refused before it changes one.
func TestOtherUserIsRefused(t *testing.T) {
	dir := t.TempDir()
	commit(t, open(t, dir), set("a", `1`))
	if err := errors.Join(os.Chown(dir, 0, other), os.Chmod(dir, 0o770)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log.jsonl", "head.json", "lock"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Chown(path, 0, other), os.Chmod(path, 0o660)); err != nil {
			t.Fatal(err)
		}
	}
	for at := filepath.Dir(dir); at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := read(t, dir)
	c := child(t, "increment", dir)
	c.Path = readable(t)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), filestore.ErrOwner.Error()) {
		t.Errorf("got %v and %s, want a refusal", err, out)
	}
	for name, content := range read(t, dir) {
		if string(before[name]) != string(content) {
			t.Errorf("%s was changed", name)
		}
	}
}

// readable is a copy of the test binary that every user may run.
func readable(t *testing.T) string {
	t.Helper()
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "child")
	if err := errors.Join(os.WriteFile(path, binary, 0o755), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOthersMayWrite(t *testing.T) {
	for _, name := range []string{".", "log.jsonl", "head.json"} {
		dir := t.TempDir()
		commit(t, open(t, dir), set("a", `1`))
		path := filepath.Join(dir, name)
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := filestore.Open(dir); err == nil || !strings.Contains(err.Error(), "chmod o-w") {
			t.Errorf("%s may be written by others: got %v", name, err)
		}
	}
}
