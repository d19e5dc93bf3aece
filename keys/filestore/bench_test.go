package filestore_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

// BenchmarkLoad is what a process pays at its start: entries of 6 kB each.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "store")
			commitAll(b, dir, entries(n))
			for b.Loop() {
				if got := len(loadAnew(b, dir).Entries); got != n {
					b.Fatalf("loaded %d entries, want %d", got, n)
				}
			}
		})
	}
}

// BenchmarkLoadUnchanged is a Load that finds nothing new.
func BenchmarkLoadUnchanged(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "store")
	commitAll(b, dir, entries(1000))
	s, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit changes one of many entries.
func BenchmarkCommit(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "store")
	all := entries(1000)
	commitAll(b, dir, all)
	s, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	base := loadAnew(b, dir).Revision
	for b.Loop() {
		if base, err = s.Commit(b.Context(), base, all[int(base)%len(all)]); err != nil {
			b.Fatal(err)
		}
	}
}

func entries(n int) []keys.Change {
	all := make([]keys.Change, n)
	sealed := make([]byte, 4400)
	for i := range all {
		_, _ = rand.Read(sealed)
		all[i] = keys.Change{
			Name:  fmt.Sprintf("project/%d", i),
			Value: fmt.Appendf(nil, `{"asp_id":"%015d","keys":[{"state":"active"}],"sealed":%q}`, i, base64.StdEncoding.EncodeToString(sealed)),
		}
	}
	return all
}

// commitAll puts half of the entries in the first commit and the others in
// commits of a hundred.
func commitAll(b *testing.B, dir string, all []keys.Change) {
	b.Helper()
	s, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	rev, next := keys.Revision(0), len(all)/2
	for rest := all; len(rest) > 0; next = min(100, len(rest)) {
		if rev, err = s.Commit(b.Context(), rev, rest[:next]...); err != nil {
			b.Fatal(err)
		}
		rest = rest[next:]
	}
}

func loadAnew(b *testing.B, dir string) keys.Snapshot {
	b.Helper()
	s, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	snap, err := s.Load(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return snap
}
