package keys_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

// TestFollowNeverGoesBack: a store that is put in the place of the one that is
// served is followed only if it goes on from it.
func TestFollowNeverGoesBack(t *testing.T) {
	other := newOffice(t)
	for _, id := range []keys.ASPID{bob, "Carol0000000001", "David0000000001", "Erica0000000001"} {
		other.addProject(t, id)
	}
	for what, tt := range map[string]struct {
		store func(now, before keys.Snapshot) keys.Snapshot
		want  error
	}{
		"gone":    {func(_, _ keys.Snapshot) keys.Snapshot { return keys.Snapshot{} }, keys.ErrGone},
		"emptied": {func(now, _ keys.Snapshot) keys.Snapshot { return keys.Snapshot{Revision: now.Revision + 1} }, keys.ErrGone},
		"older":   {func(_, before keys.Snapshot) keys.Snapshot { return before }, keys.ErrOlder},
		"older, and revised since": {func(now, before keys.Snapshot) keys.Snapshot {
			return keys.Snapshot{Revision: now.Revision + 1, Entries: before.Entries}
		}, keys.ErrOtherHistory},
		"older, of the same revision": {func(now, before keys.Snapshot) keys.Snapshot {
			return keys.Snapshot{Revision: now.Revision, Entries: before.Entries}
		}, keys.ErrOtherHistory},
		"another": {func(keys.Snapshot, keys.Snapshot) keys.Snapshot { return other.load(t) }, keys.ErrOtherHistory},
	} {
		t.Run(what, func(t *testing.T) {
			follow(t, func(t *testing.T, f *following) {
				before := f.load(t)
				must(f.SuspendProject(t.Context(), operator, alice))
				f.wantShown(t, 2, 0)
				good, put := f.Ring(), tt.store(f.load(t), before)
				f.shows.Store(&put)
				f.watched.Store.(nudged).nudge <- struct{}{}
				synctest.Wait()
				if f.Ring() != good || !errors.Is(f.Err(), tt.want) || len(f.reported) != 1 {
					t.Errorf("got %v, %d reports", f.Err(), len(f.reported))
				}
				if _, err := keys.Reopen(t.Context(), f.watched, masterKey(1), f.Live); !errors.Is(err, tt.want) {
					t.Errorf("opened again: %v", err)
				}
				time.Sleep(time.Minute)
				f.shows.Store(nil)
				time.Sleep(time.Second)
				f.wantShown(t, 2, 1)
				if f.Err() != nil || f.over != 1 {
					t.Errorf("the store is back, but %v; its end was reported %d times", f.Err(), f.over)
				}
			})
		})
	}
}

// TestOpenGoesByWhatItFinds: what was served before a start is not known.
func TestOpenGoesByWhatItFinds(t *testing.T) {
	live, err := keys.Open(context.Background(), memstore.New(), masterKey(1))
	if err != nil || live.Ring().Projects() != 0 {
		t.Errorf("got %v", err)
	}
}
