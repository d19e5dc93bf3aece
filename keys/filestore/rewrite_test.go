package filestore_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"kmproxy/keys"
)

// TestEraseLeavesNothing wants the secret gone from every file of the folder,
// wherever it came from, and everything else kept under its own revision.
func TestEraseLeavesNothing(t *testing.T) {
	const secret = "canary-4f1d"
	value := `{"sealed":"` + secret + `"}`
	for name, last := range map[string]keys.Change{
		"replaced": erase("a", `"tombstone"`),
		"deleted":  {Name: "a", Erase: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			s := open(t, dir)
			commit(t, s, set("a", value), set("kept", `1`)) // as a first commit
			commit(t, s, set("a", value))                   // as an appended one
			commit(t, s, set("other", `2`))
			left := read(t, dir)
			left["log.jsonl"] = append(left["log.jsonl"], `{"rev":4,"set":{"a":`+value...) // torn
			left["log.jsonl.tmp"] = []byte(value)                                          // by a writer that died
			write(t, dir, left)
			wantFound(t, dir, secret, true)

			after := commit(t, s, last)
			wantFound(t, dir, secret, false)
			wantSame(t, load(t, open(t, dir)), after)
			if e := after.Entries["kept"]; string(e.Value) != `1` || e.Revision != 1 {
				t.Errorf("another entry became %s of revision %d", e.Value, e.Revision)
			}
		})
	}
}

func wantFound(t *testing.T, dir, secret string, want bool) {
	t.Helper()
	found := false
	for _, content := range read(t, dir) {
		found = found || bytes.Contains(content, []byte(secret))
	}
	if found != want {
		t.Errorf("the secret is in the folder: %t, want %t", found, want)
	}
}

// TestLogStaysSmall replaces few entries over and over: superseded bytes may
// reach the live ones or 1 MiB, whichever is more.
func TestLogStaysSmall(t *testing.T) {
	const size, live = 100_000, 3
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	commit(t, s, set("old", `"stays"`))
	largest := 0
	for i := range 60 {
		commit(t, s, set(fmt.Sprintf("big/%d", i%live), fmt.Sprintf(`"%d %s"`, i, strings.Repeat("x", size))))
		largest = max(largest, len(read(t, dir)["log.jsonl"]))
	}
	if most := 1<<20 + (live+1)*size; largest > most {
		t.Errorf("the log grew to %d bytes, want no more than %d", largest, most)
	}
	if largest < 1<<20 {
		t.Errorf("the log was rewritten at %d bytes already", largest)
	}
	snap := load(t, open(t, dir))
	for name, rev := range map[string]keys.Revision{"old": 1, "big/0": 59, "big/1": 60, "big/2": 61} {
		if got := snap.Entries[name].Revision; got != rev {
			t.Errorf("%s has revision %d, want %d", name, got, rev)
		}
	}
}
