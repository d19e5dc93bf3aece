package keystest

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
)

// Following is a live ring on a store, and what it reported. Its clock is the
// bubble's, which continues only when all goroutines wait.
type Following struct {
	Office
	*ring.Live
	Watched  *StoreWith
	Reported []string
	Over     int // how often a trouble was reported to be over
	Loads    atomic.Int64
	Broken   atomic.Bool                   // no Load succeeds
	Shows    atomic.Pointer[keys.Snapshot] // if set, what Load returns
}

// Follow runs a test beside Follow, and requires Follow and all that it started to end
// with its context: synctest fails if a goroutine is left.
func Follow(t *testing.T, test func(t *testing.T, f *Following)) {
	synctest.Test(t, func(t *testing.T) {
		inner := memstore.New()
		f := &Following{Watched: &StoreWith{Store: nudged{inner, make(chan struct{})}}, Office: OfficeOn(t, inner)}
		f.Watched.Loading = func(ctx context.Context) (keys.Snapshot, error) {
			f.Loads.Add(1)
			if f.Broken.Load() {
				return keys.Snapshot{}, ErrDisk
			}
			if shown := f.Shows.Load(); shown != nil {
				return *shown, nil
			}
			return inner.Load(ctx)
		}
		f.AddProject(t, Alice)
		f.Live = Must(ring.Open(t.Context(), f.Watched, MasterKey(1)))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go f.Follow(ctx, f.Report)
		synctest.Wait()
		test(t, f)
	})
}

// nudged is a store whose Watch also reports when it is nudged.
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

func (f *Following) Report(err error) {
	if err == nil {
		f.Over++
		return
	}
	f.Reported = append(f.Reported, err.Error())
}

// wantShown waits until nothing moves, which is before the next tick of a clock.
func (f *Following) WantShown(t *testing.T, revision keys.Revision, reports int) {
	t.Helper()
	synctest.Wait()
	if f.Ring().Revision() != revision || len(f.Reported) != reports {
		t.Errorf("the ring shows revision %d, want %d; %d reports, want %d: %q", f.Ring().Revision(), revision, len(f.Reported), reports, f.Reported)
	}
}

func (f *Following) WantErr(t *testing.T, text string) {
	t.Helper()
	if err := f.Err(); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

// Nudge makes the store tell of a change that there was none of.
func (f *Following) Nudge() { f.Watched.Store.(nudged).nudge <- struct{}{} }
