package reseal_test

import (
	"context"
	"errors"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/memstore"
)

// TestResealWithinLimits: each commit is as large as the store takes, and after any of
// them the same command continues.
func TestResealWithinLimits(t *testing.T) {
	for name, tt := range map[string]struct {
		limits keys.Limits
		most   int // commits
	}{
		"four changes": {keys.Limits{Changes: 4}, 11},
		"8,000 bytes":  {keys.Limits{Bytes: 8000}, 12},
		"both":         {keys.Limits{Changes: 4, Bytes: 8000}, 13},
	} {
		t.Run(name, func(t *testing.T) {
			commits := 1
			for at := 0; at < commits; at++ {
				o := populate(t, memstore.Limited(tt.limits), 23)
				before := o.Load(t).Revision
				r := job(o, 2, 0)
				r.Store = failingAt(o.Store, at)
				if _, err := r.Run(t.Context(), keystest.Operator); !errors.Is(err, keystest.ErrDisk) {
					t.Fatalf("commit %d: %v", at, err)
				}
				if n, err := job(o, 2, 0).Run(t.Context(), keystest.Operator); err != nil || n != 25 {
					t.Fatalf("continuing after commit %d: %d, %v", at, n, err)
				}
				wantSealed(t, o, 2, 23)
				commits = int(o.Load(t).Revision - before)
			}
			if commits > tt.most || commits < 5 {
				t.Errorf("it took %d commits, want at most %d", commits, tt.most)
			}
		})
	}
}

// failingAt is a store that fails after that many commits, and does not take another.
func failingAt(store keys.Store, at int) keys.Store {
	failing := &keystest.StoreWith{Store: store}
	failing.Committing = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
		if err := store.Limits().Check(changes); err != nil {
			return 0, err
		}
		if at == 0 {
			return 0, keystest.ErrDisk
		}
		at--
		return store.Commit(ctx, base, changes...)
	}
	return failing
}

// TestResealTooLarge: a record that fits in no commit is an error, and no endless loop.
func TestResealTooLarge(t *testing.T) {
	o := populated(t, 1)
	limited := &limitedStore{o.Store, keys.Limits{Bytes: 2000}}
	r := job(o, 2, 0)
	r.Store = limited
	if _, err := r.Run(t.Context(), keystest.Operator); !errors.Is(err, keys.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := job(o, 2, 0).Run(t.Context(), keystest.Operator); err != nil {
		t.Errorf("with room: %v", err)
	}
	wantSealed(t, o, 2, 1)
}

// limitedStore is a store that takes less than the one behind it.
type limitedStore struct {
	keys.Store
	limits keys.Limits
}

func (s *limitedStore) Limits() keys.Limits { return s.limits }

func (s *limitedStore) Commit(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
	if err := s.limits.Check(changes); err != nil {
		return 0, err
	}
	return s.Store.Commit(ctx, base, changes...)
}
