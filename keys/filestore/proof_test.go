package filestore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

// TestWatchTellsOfDamageWithin has a store that is followed damaged in the middle of
// its log, where neither its ends nor its size show it, and mended again.
func TestWatchTellsOfDamageWithin(t *testing.T) {
	whole, snap := small(t).last()
	hurt := bytes.Replace(whole["log.jsonl"], []byte(`{"n":"4"}`), []byte(`{"n":"7"}`), 1)
	for name, spoil := range map[string]func(t *testing.T, log string){
		"written over":                    func(t *testing.T, log string) { overwrite(t, log, hurt) },
		"written over, time set back":     func(t *testing.T, log string) { backdated(t, log, hurt) },
		"replaced":                        func(t *testing.T, log string) { replace(t, filepath.Dir(log), whole.with("log.jsonl", hurt)) },
		"replaced, time set back":         func(t *testing.T, log string) { replaceBackdated(t, log, whole.with("log.jsonl", hurt)) },
		"written over as it was appended": func(t *testing.T, log string) { overwrite(t, log, whole["log.jsonl"]); overwrite(t, log, hurt) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, whole)
			s := open(t, dir)
			wantSame(t, load(t, s), snap)
			told := s.Watch(t.Context())
			wantTold(t, told) // that it began
			log := filepath.Join(dir, "log.jsonl")
			spoil(t, log)
			wantLoads(t, s, told, func(err error) bool { return errors.Is(err, keys.ErrDamaged) })
			overwrite(t, log, whole["log.jsonl"])
			wantLoads(t, s, told, func(err error) bool { return err == nil })
			wantSame(t, load(t, s), snap)
		})
	}
}

// wantLoads loads as often as it is told to, until the error is as wanted.
func wantLoads(t *testing.T, s *filestore.Store, told <-chan struct{}, is func(error) bool) {
	t.Helper()
	for {
		wantTold(t, told)
		if _, err := s.Load(t.Context()); is(err) {
			return
		}
	}
}

// overwrite writes into the file that is there, and leaves its size.
func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(content, 0)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// backdated is overwrite by one who sets the time of modification back.
func backdated(t *testing.T, path string, content []byte) {
	t.Helper()
	was := modified(t, path)
	overwrite(t, path, content)
	if err := os.Chtimes(path, was, was); err != nil {
		t.Fatal(err)
	}
}

func replaceBackdated(t *testing.T, path string, all files) {
	t.Helper()
	was := modified(t, path)
	replace(t, filepath.Dir(path), all)
	if err := os.Chtimes(path, was, was); err != nil {
		t.Fatal(err)
	}
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// BenchmarkProof is what reading a log again costs that is still what it was.
func BenchmarkProof(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "store")
	commitAll(b, dir, entries(10_000))
	s, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	load(b, s)
	b.SetBytes(int64(len(read(b, dir)["log.jsonl"])))
	for b.Loop() {
		if !s.Holds(b.Context()) {
			b.Fatal("it is not what it was")
		}
	}
}
