package filestore_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kmproxy/keys"
)

// TestWatchTells has the folder change in ways that no commit that returned makes.
func TestWatchTells(t *testing.T) {
	h := small(t)
	garbage := files{"head.json": []byte("{}")}
	for name, c := range map[string]struct{ before, after files }{
		"a log whose writer died": {h.files[2], h.files[2].with("log.jsonl", h.files[3]["log.jsonl"])},
		"damage":                  {h.files[2], h.files[2].with("head.json", garbage["head.json"])},
		"damage to nothing":       {files{}, garbage},
		"the end of the store":    {h.files[2], files{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, c.before)
			told := open(t, dir).Watch(t.Context())
			wantTold(t, told) // that it began
			replace(t, dir, c.after)
			wantTold(t, told)
		})
	}
}

func wantTold(t *testing.T, told <-chan struct{}) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was told")
	}
}

// replace renames new files into place, as a writer does.
func replace(t *testing.T, dir string, all files) {
	t.Helper()
	staged := t.TempDir()
	write(t, staged, all)
	write(t, dir, read(t, dir).only(all))
	for name := range all {
		if err := os.Rename(filepath.Join(staged, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func (f files) only(names files) files {
	kept := files{}
	for name := range names {
		if content, there := f[name]; there {
			kept[name] = content
		}
	}
	return kept
}

// TestReadersDuringRewrites reads while every commit replaces the log: a reader
// that opens the files of two commits must try again, not call it damage.
func TestReadersDuringRewrites(t *testing.T) {
	const commits = 300
	dir := filepath.Join(t.TempDir(), "store")
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for s := open(t, dir); !t.Failed(); {
				snap, err := s.Load(t.Context())
				if err != nil {
					t.Error(err)
				}
				if snap.Revision == commits {
					return
				}
			}
		})
	}
	writer := open(t, dir)
	for base := range keys.Revision(commits) {
		if _, err := writer.Commit(t.Context(), base, erase("a", `1`)); err != nil {
			t.Errorf("commit: %v", err)
			break
		}
	}
	readers.Wait()
}
