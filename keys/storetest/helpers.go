package storetest

import (
	"fmt"
	"testing"

	"kmproxy/keys"
)

// content is what a snapshot should hold.
type content map[string]written

type written struct {
	value string
	rev   keys.Revision
}

func set(name, value string) keys.Change { return keys.Change{Name: name, Value: []byte(value)} }

func del(name string) keys.Change { return keys.Change{Name: name} }

func number[N ~int | ~uint64](n N) string { return fmt.Sprint(n) }

// commit wants the commit to succeed and to be the next one.
func commit(t *testing.T, s keys.Store, base keys.Revision, changes ...keys.Change) keys.Revision {
	t.Helper()
	rev, err := s.Commit(t.Context(), base, changes...)
	if err != nil {
		t.Fatalf("commit on revision %d: %v", base, err)
	}
	if rev != base+1 {
		t.Fatalf("commit on revision %d gave revision %d", base, rev)
	}
	return rev
}

func load(t *testing.T, s keys.Store) keys.Snapshot {
	t.Helper()
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return snap
}

func wantContent(t *testing.T, got keys.Snapshot, rev keys.Revision, want content) {
	t.Helper()
	if got.Revision != rev {
		t.Errorf("the snapshot is of revision %d, want %d", got.Revision, rev)
	}
	for name, w := range want {
		e, there := got.Entries[name]
		if !there || string(e.Value) != w.value || e.Revision != w.rev {
			t.Errorf("%s is %s of revision %d (there: %t), want %s of revision %d", name, e.Value, e.Revision, there, w.value, w.rev)
		}
	}
	for name, e := range got.Entries {
		if _, wanted := want[name]; !wanted {
			t.Errorf("%s is there with %s of revision %d, but was never set or was deleted", name, e.Value, e.Revision)
		}
	}
}
