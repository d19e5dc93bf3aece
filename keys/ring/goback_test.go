package ring_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
)

// TestFollowNeverGoesBack: a store that is keystest.Put in the place of the one that is
// served is followed only if it goes on from it.
func TestFollowNeverGoesBack(t *testing.T) {
	other := keystest.NewOffice(t)
	for _, id := range []keys.ASPID{keystest.Bob, "Carol0000000001", "David0000000001", "Erica0000000001"} {
		other.AddProject(t, id)
	}
	for what, tt := range map[string]struct {
		store func(now, before keys.Snapshot) keys.Snapshot
		want  error
	}{
		"gone":    {func(_, _ keys.Snapshot) keys.Snapshot { return keys.Snapshot{} }, ring.ErrGone},
		"emptied": {func(now, _ keys.Snapshot) keys.Snapshot { return keys.Snapshot{Revision: now.Revision + 1} }, ring.ErrGone},
		"older":   {func(_, before keys.Snapshot) keys.Snapshot { return before }, ring.ErrOlder},
		"older, and revised since": {func(now, before keys.Snapshot) keys.Snapshot {
			return keys.Snapshot{Revision: now.Revision + 1, Entries: before.Entries}
		}, ring.ErrOtherHistory},
		"older, of the same revision": {func(now, before keys.Snapshot) keys.Snapshot {
			return keys.Snapshot{Revision: now.Revision, Entries: before.Entries}
		}, ring.ErrOtherHistory},
		"another": {func(keys.Snapshot, keys.Snapshot) keys.Snapshot { return other.Load(t) }, ring.ErrOtherHistory},
	} {
		t.Run(what, func(t *testing.T) {
			keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
				before := f.Load(t)
				keystest.Must(f.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
				f.WantShown(t, 2, 0)
				good, shown := f.Ring(), tt.store(f.Load(t), before)
				f.Shows.Store(&shown)
				f.Nudge()
				synctest.Wait()
				if f.Ring() != good || !errors.Is(f.Err(), tt.want) || len(f.Reported) != 1 {
					t.Errorf("got %v, %d reports", f.Err(), len(f.Reported))
				}
				if _, err := ring.Reopen(t.Context(), f.Watched, keystest.MasterKey(1), f.Live); !errors.Is(err, tt.want) {
					t.Errorf("opened again: %v", err)
				}
				time.Sleep(time.Minute)
				f.Shows.Store(nil)
				time.Sleep(time.Second)
				f.WantShown(t, 2, 1)
				if f.Err() != nil || f.Over != 1 {
					t.Errorf("the store is back, but %v; its end was reported %d times", f.Err(), f.Over)
				}
			})
		})
	}
}

// TestOpenGoesByWhatItFinds: what was served before a start is not known.
func TestOpenGoesByWhatItFinds(t *testing.T) {
	live, err := ring.Open(context.Background(), memstore.New(), keystest.MasterKey(1))
	if err != nil || live.Ring().Projects() != 0 {
		t.Errorf("got %v", err)
	}
}
