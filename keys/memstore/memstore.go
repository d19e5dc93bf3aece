// Package memstore is a keys.Backend in memory, for tests: nothing outlives the
// process.
package memstore

import (
	"context"
	"fmt"
	"sync"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
)

// Store is a keys.Backend whose values are compacted JSON. It is safe for concurrent
// use.
type Store struct {
	limits  keys.Limits
	mu      sync.Mutex
	newest  keys.Snapshot
	changed chan struct{} // closed, and replaced, by each commit
	ledgers []*ledger     // of running processes and of those that have ended
}

// New returns an empty store that takes commits of any size.
func New() *Store { return Limited(keys.Limits{}) }

// Limited returns an empty store that takes commits within limits.
func Limited(limits keys.Limits) *Store {
	return &Store{limits: limits, changed: make(chan struct{})}
}

// Limits implements keys.Store.
func (s *Store) Limits() keys.Limits { return s.limits }

// Exists implements keys.Backend. It reports whether there was a commit.
func (s *Store) Exists(context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest.Revision > 0
}

// Load implements keys.Store. It fails only if ctx has ended.
func (s *Store) Load(ctx context.Context) (keys.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return keys.Snapshot{}, fmt.Errorf("load: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest, nil
}

// Commit implements keys.Store. Names and values that the contract does not
// allow are refused, and so is a commit that changes an entry twice.
func (s *Store) Commit(ctx context.Context, base keys.Revision, given ...keys.Change) (keys.Revision, error) {
	return s.CommitAbove(ctx, base, 0, given...)
}

// CommitAbove implements keys.Backend.
func (s *Store) CommitAbove(ctx context.Context, base, floor keys.Revision, given ...keys.Change) (keys.Revision, error) {
	prepared, err := changes.Prepare(given)
	if err == nil {
		err = s.limits.Check(prepared)
	}
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	if base != s.newest.Revision {
		return 0, fmt.Errorf("commit on revision %d, but the newest is %d: %w", base, s.newest.Revision, keys.ErrConflict)
	}
	from := keys.Snapshot{Revision: max(base, floor), Entries: s.newest.Entries}
	s.newest = changes.Apply(from, prepared)
	close(s.changed)
	s.changed = make(chan struct{})
	return s.newest.Revision, nil
}

// Watch implements keys.Store.
func (s *Store) Watch(ctx context.Context) <-chan struct{} {
	told := make(chan struct{}, 1)
	changed := s.nextCommit() // before Watch returns: no commit after it is missed
	go func() {
		defer close(told)
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			changed = s.nextCommit()
			select {
			case told <- struct{}{}:
			default: // the last send was not taken yet and stands for this commit too
			}
		}
	}()
	return told
}

func (s *Store) nextCommit() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Close implements keys.Store. There is nothing to release.
func (s *Store) Close() error { return nil }
