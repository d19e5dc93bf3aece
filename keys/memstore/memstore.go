// Package memstore is a keys.Store in memory, for tests and for trying out:
// nothing outlives the process.
package memstore

import (
	"context"
	"fmt"
	"sync"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
)

// Store is a keys.Store whose values are compacted JSON. It is safe for
// concurrent use.
type Store struct {
	mu      sync.Mutex
	newest  keys.Snapshot
	changed chan struct{} // closed, and replaced, by each commit
}

// New returns an empty store.
func New() *Store {
	return &Store{changed: make(chan struct{})}
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
	prepared, err := changes.Prepare(given)
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
	s.newest = changes.Apply(s.newest, prepared)
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
