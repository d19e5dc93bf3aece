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
	"kmproxy/keys/audit"
	"kmproxy/keys/memstore"
)

// following is a live ring on a store, and what it reported. Its clock is the
// bubble's, which goes on only when everybody waits.
type following struct {
	office
	*keys.Live
	watched  *storeWith
	reported []string
	over     int // how often a trouble was reported to be over
	loads    atomic.Int64
	broken   atomic.Bool                   // no Load succeeds
	shows    atomic.Pointer[keys.Snapshot] // if set, what Load returns
}

// follow runs a test beside Follow, and wants Follow and all it started to end
// with its context: synctest fails if a goroutine is left.
func follow(t *testing.T, test func(t *testing.T, f *following)) {
	synctest.Test(t, func(t *testing.T) {
		inner := memstore.New()
		f := &following{watched: &storeWith{Store: nudged{inner, make(chan struct{})}}, office: officeOn(t, inner)}
		f.watched.load = func(ctx context.Context) (keys.Snapshot, error) {
			f.loads.Add(1)
			if f.broken.Load() {
				return keys.Snapshot{}, errDisk
			}
			if shown := f.shows.Load(); shown != nil {
				return *shown, nil
			}
			return inner.Load(ctx)
		}
		f.addProject(t, alice)
		f.Live = must(keys.Open(t.Context(), f.watched, masterKey(1)))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go f.Follow(ctx, f.report)
		synctest.Wait()
		test(t, f)
	})
}

// nudged is a store whose Watch tells also when it is nudged.
type nudged struct {
	keys.Store
	nudge chan struct{}
}

func (n nudged) Watch(ctx context.Context) <-chan struct{} {
	told, commits := make(chan struct{}), n.Store.Watch(ctx)
	go func() {
		defer close(told)
		for ctx.Err() == nil {
			select {
			case <-commits:
			case <-n.nudge:
			case <-ctx.Done():
			}
			select {
			case told <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}()
	return told
}

func (f *following) report(err error) {
	if err == nil {
		f.over++
		return
	}
	f.reported = append(f.reported, err.Error())
}

// wantShown waits until nothing moves, which is before the next tick of a clock.
func (f *following) wantShown(t *testing.T, revision keys.Revision, reports int) {
	t.Helper()
	synctest.Wait()
	if f.Ring().Revision() != revision || len(f.reported) != reports {
		t.Errorf("the ring shows revision %d, want %d; %d reports, want %d: %q", f.Ring().Revision(), revision, len(f.reported), reports, f.reported)
	}
	newest := f.load(t).Revision
	if current, err := f.Current(t.Context()); f.Err() == nil && (err != nil || current != (newest == revision)) {
		t.Errorf("current: %t, %v", current, err)
	}
}

func (f *following) wantErr(t *testing.T, text string) {
	t.Helper()
	if err := f.Err(); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

func TestFollowSeesCommits(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		f.wantShown(t, 1, 0)
		before := f.Ring()
		f.addProject(t, bob)
		f.wantShown(t, 2, 0)
		must(f.SuspendProject(t.Context(), operator, alice))
		f.wantShown(t, 3, 0)
		access := must(f.Project(t.Context(), alice)).Credentials[0].AccessKey
		if m, _ := f.Ring().ByAccessKey(access, morning); !m.Suspended() {
			t.Error("the suspension is not seen")
		}
		if m, _ := before.ByAccessKey(access, morning); m.Suspended() || before.Projects() != 1 {
			t.Error("the ring before changed")
		}
		if f.Err() != nil {
			t.Errorf("got %v", f.Err())
		}
	})
}

// TestFollowSeesCommitsSinceOpen: what is committed before anybody watches.
func TestFollowSeesCommitsSinceOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.addProject(t, alice)
		live := must(keys.Open(t.Context(), o.store, masterKey(1)))
		must(o.SuspendProject(t.Context(), operator, alice))
		if current := must(live.Current(t.Context())); current {
			t.Error("it is current before it follows")
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go live.Follow(ctx, func(err error) { t.Errorf("reported %v", err) })
		synctest.Wait()
		if live.Ring().Revision() != 2 {
			t.Errorf("the ring shows revision %d", live.Ring().Revision())
		}
	})
}

func TestFollowKeepsTheRingThatOpens(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		good := f.Ring()
		put(t, f.store, "project/"+string(bob), []byte(`{}`))
		f.wantShown(t, 1, 1)
		f.wantErr(t, "project/"+string(bob))
		if !errors.Is(f.Err(), keys.ErrDamaged) || f.Ring() != good {
			t.Errorf("got %v", f.Err())
		}
		time.Sleep(time.Hour)
		f.wantShown(t, 1, 1) // the same trouble is told once
		f.wantErr(t, "project/"+string(bob))

		put(t, f.store, "project/Carol0000000001", []byte(`{}`))
		f.wantShown(t, 1, 1) // another one is no other trouble
		f.wantErr(t, "Carol")
		if began := f.Trouble().Since; time.Since(began) != time.Hour {
			t.Errorf("it began at %v", began)
		}

		put(t, f.store, "project/"+string(bob), nil)
		f.wantShown(t, 1, 1)
		put(t, f.store, "project/Carol0000000001", nil)
		f.wantShown(t, 5, 1)
		if f.over != 1 {
			t.Errorf("its end was reported %d times", f.over)
		}
		if f.Err() != nil || f.Ring().Projects() != 1 {
			t.Errorf("mended, but %v", f.Err())
		}

		put(t, f.store, "project/Carol0000000001", []byte(`{}`))
		f.wantShown(t, 5, 2) // again after it was well
		if !strings.Contains(f.reported[1], "Carol") || f.Newest() != 6 {
			t.Errorf("got %q", f.reported)
		}
	})
}

// TestFollowServesNoOldRecord: one that was put back opens, and is not shown.
func TestFollowServesNoOldRecord(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		name := "project/" + string(alice)
		old := f.load(t).Entries[name].Value
		must(f.SuspendProject(t.Context(), operator, alice))
		f.wantShown(t, 2, 0)
		good := f.load(t).Entries[name].Value
		put(t, f.store, name, old)
		f.wantShown(t, 2, 1)
		f.wantErr(t, name)
		if !errors.Is(f.Err(), audit.ErrBroken) {
			t.Errorf("got %v", f.Err())
		}
		if _, err := f.ResumeProject(t.Context(), operator, alice); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("an act on it makes it look genuine: %v", err)
		}
		put(t, f.store, name, good)
		f.wantShown(t, 4, 1)
		must(f.ResumeProject(t.Context(), operator, alice))
		f.wantShown(t, 5, 1)
	})
}

// TestFollowTriesAgain: a store that cannot be read is read again, without a
// commit that would tell of it.
func TestFollowTriesAgain(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		f.broken.Store(true)
		f.addProject(t, bob)
		synctest.Wait()
		f.wantErr(t, errDisk.Error())
		if _, err := f.Current(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("current: %v", err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if f.Ring().Revision() != 1 || len(f.reported) != 1 || !errors.Is(f.Err(), errDisk) {
			t.Errorf("revision %d, reports %q", f.Ring().Revision(), f.reported)
		}
		f.broken.Store(false)
		time.Sleep(time.Second)
		f.wantShown(t, 2, 1)
		if f.Err() != nil {
			t.Errorf("read again, but %v", f.Err())
		}
	})
}

// TestFollowRestsWhenAllIsWell: it does not read a store that did not change.
func TestFollowRestsWhenAllIsWell(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		before := f.loads.Load()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if after := f.loads.Load(); after != before {
			t.Errorf("read %d times in a day without a change", after-before)
		}
	})
}

// TestFollowEndsWithItsContext, also while the store is read, and says nothing.
func TestFollowEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &storeWith{Store: memstore.New()}
		live := must(keys.Open(t.Context(), s, masterKey(1)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			live.Follow(ctx, func(err error) { t.Errorf("reported %v", err) })
		}()
		synctest.Wait()
		s.load = func(ctx context.Context) (keys.Snapshot, error) {
			<-ctx.Done()
			return keys.Snapshot{}, ctx.Err()
		}
		put(t, s.Store, "seal", sealEntry(1))
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("it ended before its context")
		default:
		}
		stop()
		<-ended
		if live.Err() != nil || live.Ring().Revision() != 0 {
			t.Errorf("after the end: %v", live.Err())
		}
	})
}

// deaf is a store that stops telling of changes.
type deaf struct {
	keys.Store
	told chan struct{}
}

func (d deaf) Watch(context.Context) <-chan struct{} { return d.told }

// TestFollowSaysThatItEnds: a proxy that no longer sees a key suspended must not
// look well.
func TestFollowSaysThatItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := deaf{memstore.New(), make(chan struct{})}
		live := must(keys.Open(t.Context(), s, masterKey(1)))
		reports := 0
		go func() {
			time.Sleep(time.Minute)
			close(s.told)
		}()
		live.Follow(t.Context(), func(err error) {
			reports++
			if !strings.Contains(err.Error(), "stopped reporting changes") {
				t.Errorf("reported %v", err)
			}
		})
		if live.Err() == nil || reports != 1 {
			t.Errorf("%d reports, %v", reports, live.Err())
		}
	})
}

func TestOpenWantsEveryRecord(t *testing.T) {
	o := handOffice(t, hand(alice))
	put(t, o.store, "project/"+string(bob), []byte(`{}`))
	if live, err := keys.Open(t.Context(), o.store, masterKey(1)); live != nil || !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	s := &storeWith{Store: o.store, load: func(context.Context) (keys.Snapshot, error) { return keys.Snapshot{}, errDisk }}
	if live, err := keys.Open(t.Context(), s, masterKey(1)); live != nil || !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
}
