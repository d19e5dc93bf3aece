package filestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

func open(t testing.TB, dir string) *filestore.Store {
	t.Helper()
	s, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(name, value string) keys.Change { return keys.Change{Name: name, Value: []byte(value)} }

func del(name string) keys.Change { return keys.Change{Name: name} }

func erase(name, value string) keys.Change {
	return keys.Change{Name: name, Value: []byte(value), Erase: true}
}

// commit makes the next commit, whichever that is.
func commit(t testing.TB, s *filestore.Store, changes ...keys.Change) keys.Snapshot {
	t.Helper()
	if _, err := s.Commit(t.Context(), load(t, s).Revision, changes...); err != nil {
		t.Fatal(err)
	}
	return load(t, s)
}

func load(t testing.TB, s *filestore.Store) keys.Snapshot {
	t.Helper()
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func wantSame(t *testing.T, got, want keys.Snapshot) {
	t.Helper()
	same := maps.EqualFunc(got.Entries, want.Entries, func(a, b keys.Entry) bool {
		return bytes.Equal(a.Value, b.Value) && a.Revision == b.Revision
	})
	if got.Revision != want.Revision || !same {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
}

func show(s keys.Snapshot) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Entries)) {
		b.WriteString(" " + name + "=" + string(s.Entries[name].Value))
	}
	return fmt.Sprintf("revision %d%s", s.Revision, &b)
}

// files is the content of a folder by name, lock apart.
type files map[string][]byte

func read(t testing.TB, dir string) files {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	all := files{}
	for _, f := range found {
		if f.Name() == "lock" {
			continue
		}
		if all[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// write makes the folder hold these files and no other.
func write(t testing.TB, dir string, all files) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	there := read(t, dir)
	for name := range there {
		if _, stays := all[name]; !stays {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, content := range all {
		if old, same := there[name]; same && bytes.Equal(old, content) {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// with is the same files but for one.
func (f files) with(name string, content []byte) files {
	changed := maps.Clone(f)
	changed[name] = content
	return changed
}

func (f files) without(name string) files {
	changed := maps.Clone(f)
	delete(changed, name)
	return changed
}

// history is a store after each of its commits, which make every kind of line.
type history struct {
	files []files
	snaps []keys.Snapshot
}

func small(t testing.TB) history { return smallAt(t, time.Now()) }

func smallAt(t testing.TB, at time.Time) history {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	s.SetClock(func() time.Time { return at })
	h := history{files: []files{{}}, snaps: []keys.Snapshot{{}}}
	for _, changes := range [][]keys.Change{
		{set("project/a", `{"n":"1"}`), set("project/b", `{"n":"2"}`)},
		{set("project/a", `{"n":"3"}`), del("project/b"), set("c", `"x"`)},
		{erase("c", `"y"`)},
		{set("project/b", `{"n":"4"}`)},
		{del("project/a"), set("d", `5`)},
	} {
		h.snaps = append(h.snaps, commit(t, s, changes...))
		h.files = append(h.files, read(t, dir))
	}
	return h
}

// last is the store after all commits: generation 2, with kept lines and commits.
func (h history) last() (files, keys.Snapshot) {
	return h.files[len(h.files)-1], h.snaps[len(h.snaps)-1]
}

func lines(content []byte) [][]byte { return slices.Collect(bytes.Lines(content)) }

func joined(lines [][]byte) []byte { return bytes.Join(lines, nil) }
