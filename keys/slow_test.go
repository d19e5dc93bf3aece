package keys_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

// TestFollowTellsOfAStoreThatHangs: one that does not answer is a trouble from when
// it was asked, it is asked once, and what was served stays.
func TestFollowTellsOfAStoreThatHangs(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		answer := make(chan struct{})
		f.watched.load = func(ctx context.Context) (keys.Snapshot, error) {
			f.loads.Add(1)
			<-answer
			return f.watched.Store.Load(ctx)
		}
		good, before, asked := f.Ring(), f.loads.Load(), time.Now()
		f.addProject(t, bob)
		time.Sleep(2 * time.Second)
		if synctest.Wait(); f.Err() != nil {
			t.Errorf("told too early: %v", f.Err())
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		f.wantErr(t, "reading it has taken 3602 s")
		if !errors.Is(f.Err(), keys.ErrSlow) || !f.Trouble().Since.Equal(asked) || f.Ring() != good {
			t.Errorf("got %v since %v", f.Err(), f.Trouble().Since)
		}
		if loads := f.loads.Load() - before; loads != 1 || len(f.reported) != 1 {
			t.Errorf("%d reads, reports %q", loads, f.reported)
		}
		close(answer)
		synctest.Wait()
		if f.Err() != nil || f.Ring().Revision() != 2 || f.over != 1 {
			t.Errorf("it answers, but %v; the ring shows revision %d; its end was reported %d times", f.Err(), f.Ring().Revision(), f.over)
		}
	})
}

// TestFollowEndsBesideAStoreThatHangs: it does not wait for an answer then.
func TestFollowEndsBesideAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, hangs := &storeWith{Store: memstore.New()}, make(chan struct{})
		live := must(keys.Open(t.Context(), s, masterKey(1)))
		s.load = func(context.Context) (keys.Snapshot, error) {
			<-hangs
			return keys.Snapshot{}, errDisk
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
	follow(t, func(t *testing.T, f *following) {
		old := f.load(t)
		f.addProject(t, bob)
		f.wantShown(t, 2, 0)
		f.shows.Store(&keys.Snapshot{})
		f.watched.Store.(nudged).nudge <- struct{}{}
		f.wantShown(t, 2, 1)
		for range 3 {
			f.shows.Store(&old)
			time.Sleep(2 * time.Second)
			f.wantShown(t, 2, 1) // it may be on its way
			f.shows.Store(&keys.Snapshot{})
			time.Sleep(2 * time.Second)
		}
		for range 3 {
			f.shows.Store(&old)
			time.Sleep(time.Minute)
			f.wantShown(t, 2, 2)
			f.shows.Store(&keys.Snapshot{})
			time.Sleep(time.Minute)
			f.wantShown(t, 2, 2)
		}
		if !strings.Contains(f.reported[0], keys.ErrGone.Error()) || !strings.Contains(f.reported[1], keys.ErrOlder.Error()) {
			t.Errorf("got %q", f.reported)
		}
	})
}
