package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

func TestOpenCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	wantSame(t, load(t, open(t, dir)), keys.Snapshot{})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening and loading made the folder: %v", err)
	}
}

func TestOpenRefusesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := filestore.Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names %s", err, path)
	}
}

func TestFirstCommitNeedsTheParent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing", "store")
	_, err := open(t, dir).Commit(t.Context(), 0, set("a", `1`))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want an error that names %s", err, dir)
	}
}

func TestOthersCannotRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	commit(t, s, set("a", `1`))
	commit(t, s, erase("a", `2`))
	modes := map[string]os.FileMode{".": 0o700 | os.ModeDir, "log.jsonl": 0o600, "head.json": 0o600, "lock": 0o600}
	for name, want := range modes {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) != len(modes)-1 {
		t.Errorf("the folder has %v (%v)", found, err)
	}
}

func TestValuesAreCompactedAndChecked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	value := "{ \"a\" : [ 1.0e+2 , \"<&>\\u003c \\\" }],{ é \" ] ,\n\"n\":9999999999999999999 }"
	commit(t, s, set("a", value))
	want := `{"a":[1.0e+2,"<&>\u003c \" }],{ é "],"n":9999999999999999999}`
	for _, reader := range []*filestore.Store{s, open(t, dir)} {
		if got := string(load(t, reader).Entries["a"].Value); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, wrong := range []string{"", "{", "1 2", "\"\xff\""} {
		if _, err := s.Commit(t.Context(), 1, set("b", wrong)); err == nil || errors.Is(err, keys.ErrConflict) {
			t.Errorf("a commit of %q gave %v", wrong, err)
		}
	}
	if rev := load(t, s).Revision; rev != 1 {
		t.Errorf("refused commits led to revision %d", rev)
	}
}

func TestLoadWithoutAChangeIsTheSameMap(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	writer, reader := open(t, dir), open(t, dir)
	commit(t, writer, set("a", `1`))
	first := pointer(load(t, reader))
	if pointer(load(t, reader)) != first {
		t.Error("a load without a change returned another map")
	}
	commit(t, writer, set("a", `2`))
	if pointer(load(t, reader)) == first {
		t.Error("a load after a change returned the same map")
	}
}

func pointer(s keys.Snapshot) uintptr { return reflect.ValueOf(s.Entries).Pointer() }

// TestLoadReadsOnlyWhatWasAdded changes a byte that was verified already: only a
// store that is opened later can notice.
func TestLoadReadsOnlyWhatWasAdded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	writer, reader := open(t, dir), open(t, dir)
	for range 3 {
		commit(t, writer, set("a", `"value"`))
	}
	load(t, reader)
	found := read(t, dir)
	found["log.jsonl"][len(found["log.jsonl"])/2] ^= 1
	write(t, dir, found)
	wantSame(t, commit(t, writer, set("b", `1`)), load(t, reader))
	if _, err := open(t, dir).Load(t.Context()); !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v, want damage", err)
	}
}

// TestReplacedFiles puts files of other commits in the place of those that a
// store has seen, as somebody does who restores a copy by hand.
func TestReplacedFiles(t *testing.T) {
	mine, other := small(t), smallAt(t, time.Unix(1e9, 0))
	dir := t.TempDir()
	s := open(t, dir)
	for i, before := range mine.files {
		for _, from := range []history{mine, other} {
			for j, after := range from.files {
				write(t, dir, before)
				wantSame(t, load(t, s), mine.snaps[i])
				write(t, dir, after)
				wantSame(t, load(t, s), from.snaps[j])
			}
		}
	}
}
