package ring_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
)

// TestFollowTellsOfAStoreThatHangs: one that does not answer is a trouble from when
// it was asked, it is asked once, and what was served stays.
func TestFollowTellsOfAStoreThatHangs(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		answer := make(chan struct{})
		f.Watched.Loading = func(ctx context.Context) (keys.Snapshot, error) {
			f.Loads.Add(1)
			<-answer
			return f.Watched.Store.Load(ctx)
		}
		good, before, asked := f.Ring(), f.Loads.Load(), time.Now()
		f.AddProject(t, keystest.Bob)
		time.Sleep(2 * time.Second)
		if synctest.Wait(); f.Err() != nil {
			t.Errorf("told too early: %v", f.Err())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		f.WantErr(t, "reading it has taken 3602 s")
		if !errors.Is(f.Err(), ring.ErrSlow) || !f.Trouble().Since.Equal(asked) || f.Ring() != good {
			t.Errorf("got %v since %v", f.Err(), f.Trouble().Since)
		}
		if loads := f.Loads.Load() - before; loads != 1 || len(f.Reported) != 1 {
			t.Errorf("%d reads, reports %q", loads, f.Reported)
		}
		close(answer)
		synctest.Wait()
		if f.Err() != nil || f.Ring().Revision() != 2 || f.Over != 1 {
			t.Errorf("it answers, but %v; the ring shows revision %d; its end was reported %d times", f.Err(), f.Ring().Revision(), f.Over)
		}
	})
}

// TestFollowEndsBesideAStoreThatHangs: it does not wait for an answer then.
func TestFollowEndsBesideAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, hangs := &keystest.StoreWith{Store: memstore.New()}, make(chan struct{})
		live := keystest.Must(ring.Open(t.Context(), s, keystest.MasterKey(1)))
		s.Loading = func(context.Context) (keys.Snapshot, error) {
			<-hangs
			return keys.Snapshot{}, keystest.ErrDisk
		}
		ctx, stop := context.WithCancel(t.Context())
		var ended atomic.Bool
		go func() {
			live.Follow(ctx, func(error) {})
			ended.Store(true)
		}()
		synctest.Wait()
		stop()
		if synctest.Wait(); !ended.Load() {
			t.Error("it waits for the store")
		}
		close(hangs)
	})
}

// TestFollowReportsAnotherKind: a trouble that became another one is reported when it
// has lasted, each kind once.
func TestFollowReportsAnotherKind(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		old := f.Load(t)
		f.AddProject(t, keystest.Bob)
		f.WantShown(t, 2, 0)
		f.Shows.Store(&keys.Snapshot{})
		f.Nudge()
		f.WantShown(t, 2, 1)
		for range 3 {
			f.Shows.Store(&old)
			time.Sleep(2 * time.Second)
			f.WantShown(t, 2, 1) // it may be on its way
			f.Shows.Store(&keys.Snapshot{})
			time.Sleep(2 * time.Second)
		}
		for range 3 {
			f.Shows.Store(&old)
			time.Sleep(time.Minute)
			f.WantShown(t, 2, 2)
			f.Shows.Store(&keys.Snapshot{})
			time.Sleep(time.Minute)
			f.WantShown(t, 2, 2)
		}
		if !strings.Contains(f.Reported[0], ring.ErrGone.Error()) || !strings.Contains(f.Reported[1], ring.ErrOlder.Error()) {
			t.Errorf("got %q", f.Reported)
		}
	})
}
