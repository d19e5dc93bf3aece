package filestore_test

import (
	"path/filepath"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

// TestCommitAbove: a store that takes over what another held counts on from there,
// whoever reads it and whatever is committed next.
func TestCommitAbove(t *testing.T) {
	for name, tt := range map[string]struct {
		before int
		floor  keys.Revision
		want   keys.Revision
	}{
		"an empty store":            {0, 7, 8},
		"a store behind it":         {3, 7, 8},
		"a store that is beyond it": {9, 7, 10},
		"no floor":                  {3, 0, 4},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			s, reader := open(t, dir), open(t, dir)
			for range tt.before {
				commit(t, s, set("a", `1`))
			}
			old := load(t, reader)
			got, err := s.CommitAbove(t.Context(), old.Revision, tt.floor, set("b", `2`))
			if err != nil || got != tt.want {
				t.Fatalf("revision %d, want %d: %v", got, tt.want, err)
			}
			for _, r := range []*filestore.Store{s, reader, open(t, dir)} {
				if snap := load(t, r); snap.Revision != tt.want || string(snap.Entries["b"].Value) != `2` || len(snap.Entries) != len(old.Entries)+1 {
					t.Errorf("it holds %v", snap)
				}
			}
			if next := commit(t, reader, set("c", `3`)); next.Revision != tt.want+1 {
				t.Errorf("the next commit is revision %d", next.Revision)
			}
		})
	}
}
