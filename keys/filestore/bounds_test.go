package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

const sparse = 200 << 30 // bytes, none of them written

// TestGrownFiles wants a file that grew absurdly to be an error that names it,
// and the store to be as before once it is cut.
func TestGrownFiles(t *testing.T) {
	for _, name := range []string{"log.jsonl", "head.json"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			s := open(t, dir)
			want := commit(t, s, set("a", `1`))
			path := filepath.Join(dir, name)
			info, err := os.Stat(path)
			if err = errors.Join(err, os.Truncate(path, sparse)); err != nil {
				t.Fatal(err)
			}
			for _, s := range []*filestore.Store{s, open(t, dir)} {
				if _, err := s.Load(t.Context()); !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "214748364800") {
					t.Errorf("got %v, want an error that names %s and its size", err, path)
				}
			}
			if err := os.Truncate(path, info.Size()); err != nil {
				t.Fatal(err)
			}
			wantSame(t, load(t, s), want)
		})
	}
}

func TestPipeInPlaceOfTheHead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	commit(t, s, set("a", `1`))
	path := filepath.Join(dir, "head.json")
	if err := errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context()); !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v, want damage", err)
	}
}

// TestEntryTooLong: what could not be read again is not written.
func TestEntryTooLong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	before := commit(t, s, set("a", `1`))
	const most = 64 << 20
	for _, c := range []keys.Change{set("b", `"`+strings.Repeat("x", most)+`"`), erase("a", `"`+strings.Repeat("x", most)+`"`)} {
		if _, err := s.Commit(t.Context(), before.Revision, c); err == nil {
			t.Errorf("entry %s was taken", c.Name)
		}
	}
	wantSame(t, load(t, open(t, dir)), before)
}
