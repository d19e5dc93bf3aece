package ring_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/keystest"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
)

func TestFollowSeesCommits(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		f.WantShown(t, 1, 0)
		before := f.Ring()
		f.AddProject(t, keystest.Bob)
		f.WantShown(t, 2, 0)
		keystest.Must(f.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
		f.WantShown(t, 3, 0)
		access := keystest.Must(f.Project(t.Context(), keystest.Alice)).Credentials[0].AccessKey
		if m, _ := f.Ring().ByAccessKey(access, keystest.Morning); !m.Suspended() {
			t.Error("the suspension is not seen")
		}
		if m, _ := before.ByAccessKey(access, keystest.Morning); m.Suspended() || before.Projects() != 1 {
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
		o := keystest.NewOffice(t)
		o.AddProject(t, keystest.Alice)
		live := keystest.Must(ring.Open(t.Context(), o.Store, keystest.MasterKey(1)))
		keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
		if live.Ring().Revision() != 1 {
			t.Error("it is up to date before it follows")
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
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		good := f.Ring()
		keystest.Put(t, f.Store, "project/"+string(keystest.Bob), []byte(`{}`))
		f.WantShown(t, 1, 1)
		f.WantErr(t, "project/"+string(keystest.Bob))
		if !errors.Is(f.Err(), keys.ErrDamaged) || f.Ring() != good {
			t.Errorf("got %v", f.Err())
		}
		time.Sleep(time.Hour)
		f.WantShown(t, 1, 1) // the same trouble is told once
		f.WantErr(t, "project/"+string(keystest.Bob))

		keystest.Put(t, f.Store, "project/Carol0000000001", []byte(`{}`))
		f.WantShown(t, 1, 1) // another one is no other trouble
		f.WantErr(t, "Carol")
		if began := f.Trouble().Since; time.Since(began) != time.Hour {
			t.Errorf("it began at %v", began)
		}

		keystest.Put(t, f.Store, "project/"+string(keystest.Bob), nil)
		f.WantShown(t, 1, 1)
		keystest.Put(t, f.Store, "project/Carol0000000001", nil)
		f.WantShown(t, 5, 1)
		if f.Over != 1 {
			t.Errorf("its end was reported %d times", f.Over)
		}
		if f.Err() != nil || f.Ring().Projects() != 1 {
			t.Errorf("mended, but %v", f.Err())
		}

		keystest.Put(t, f.Store, "project/Carol0000000001", []byte(`{}`))
		f.WantShown(t, 5, 2) // again after it was well
		if !strings.Contains(f.Reported[1], "Carol") || f.Newest() != 6 {
			t.Errorf("got %q", f.Reported)
		}
	})
}

// TestFollowServesNoOldRecord: one that was keystest.Put back opens, and is not shown.
func TestFollowServesNoOldRecord(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		name := "project/" + string(keystest.Alice)
		old := f.Load(t).Entries[name].Value
		keystest.Must(f.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
		f.WantShown(t, 2, 0)
		good := f.Load(t).Entries[name].Value
		keystest.Put(t, f.Store, name, old)
		f.WantShown(t, 2, 1)
		f.WantErr(t, name)
		if !errors.Is(f.Err(), audit.ErrBroken) {
			t.Errorf("got %v", f.Err())
		}
		if _, err := f.ResumeProject(t.Context(), keystest.Operator, keystest.Alice); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("an act on it makes it look genuine: %v", err)
		}
		keystest.Put(t, f.Store, name, good)
		f.WantShown(t, 4, 1)
		keystest.Must(f.ResumeProject(t.Context(), keystest.Operator, keystest.Alice))
		f.WantShown(t, 5, 1)
	})
}

// TestFollowTriesAgain: a store that cannot be read is read again, without a
// commit that would tell of it.
func TestFollowTriesAgain(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		f.Broken.Store(true)
		f.AddProject(t, keystest.Bob)
		synctest.Wait()
		f.WantErr(t, keystest.ErrDisk.Error())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if f.Ring().Revision() != 1 || len(f.Reported) != 1 || !errors.Is(f.Err(), keystest.ErrDisk) {
			t.Errorf("revision %d, reports %q", f.Ring().Revision(), f.Reported)
		}
		f.Broken.Store(false)
		time.Sleep(time.Second)
		f.WantShown(t, 2, 1)
		if f.Err() != nil {
			t.Errorf("read again, but %v", f.Err())
		}
	})
}

// TestFollowRestsWhenAllIsWell: it does not read a store that did not change.
func TestFollowRestsWhenAllIsWell(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		before := f.Loads.Load()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if after := f.Loads.Load(); after != before {
			t.Errorf("read %d times in a day without a change", after-before)
		}
	})
}

// TestFollowEndsWithItsContext, also while the store is read, and says nothing.
func TestFollowEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keystest.StoreWith{Store: memstore.New()}
		live := keystest.Must(ring.Open(t.Context(), s, keystest.MasterKey(1)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			live.Follow(ctx, func(err error) { t.Errorf("reported %v", err) })
		}()
		synctest.Wait()
		s.Loading = func(ctx context.Context) (keys.Snapshot, error) {
			<-ctx.Done()
			return keys.Snapshot{}, ctx.Err()
		}
		keystest.Put(t, s.Store, "seal", keystest.SealEntry(1))
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

// TestFollowSaysThatItEnds: a proxy that no longer sees a key suspended keystest.Must not
// look well.
func TestFollowSaysThatItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := deaf{memstore.New(), make(chan struct{})}
		live := keystest.Must(ring.Open(t.Context(), s, keystest.MasterKey(1)))
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
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice))
	keystest.Put(t, o.Store, "project/"+string(keystest.Bob), []byte(`{}`))
	if live, err := ring.Open(t.Context(), o.Store, keystest.MasterKey(1)); live != nil || !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	s := &keystest.StoreWith{Store: o.Store, Loading: func(context.Context) (keys.Snapshot, error) { return keys.Snapshot{}, keystest.ErrDisk }}
	if live, err := ring.Open(t.Context(), s, keystest.MasterKey(1)); live != nil || !errors.Is(err, keystest.ErrDisk) {
		t.Errorf("got %v", err)
	}
}
