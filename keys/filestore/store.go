package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
	"kmproxy/keys/internal/disk"
)

const (
	logName  = "log.jsonl"
	headName = "head.json"
	lockName = "lock"
)

// lockPatience is how long a commit waits for the writer before it.
const lockPatience = 10 * time.Second

// Store is a keys.Store in a folder. Values are kept as compact JSON: they come
// back byte for byte but for blanks between tokens. It is safe for concurrent
// use, and holds no file open between calls.
type Store struct {
	dir      string
	disk     disk.Disk
	now      func() time.Time
	patience time.Duration
	turn     chan struct{} // taken by the one Commit of this Store that goes for the lock
	durable  head          // what this Store acknowledged last, for the holder of the turn

	mu   sync.Mutex
	seen view // what was verified last
}

// Open names the folder of a store and creates nothing: a folder that is not
// there, or holds neither log.jsonl nor head.json, is an empty store until the
// first Commit. Its parent folder must exist by then. It fails if dir is
// something other than a folder, or if others may write it or its files.
func Open(dir string) (*Store, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	switch info, err := os.Stat(absolute); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("open store: %s is a file, not a folder", absolute)
	}
	s := &Store{dir: absolute, now: time.Now, patience: lockPatience, turn: make(chan struct{}, 1)}
	if err := s.private(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// Exists implements keys.Backend. It reports whether the folder holds a store.
func (s *Store) Exists(context.Context) bool {
	for _, name := range []string{logName, headName, usageName} {
		if _, err := os.Lstat(s.path(name)); !errors.Is(err, os.ErrNotExist) {
			return true
		}
	}
	return false
}

// Load implements keys.Store. It takes no lock, never waits for a writer, and
// reads only what was added since the last call; without a change it returns the
// same map. A file system that hangs holds it up until ctx ends. Errors:
// keys.ErrDamaged, that of ctx, or that of the file that cannot be read.
func (s *Store) Load(ctx context.Context) (keys.Snapshot, error) {
	type loaded struct {
		snap keys.Snapshot
		err  error
	}
	done := make(chan loaded, 1)
	go func() {
		v, _, err := s.read(ctx)
		done <- loaded{v.snap, err}
	}()
	select {
	case l := <-done:
		return l.snap, l.err
	case <-ctx.Done():
		return keys.Snapshot{}, fmt.Errorf("reading the store: %w", ctx.Err())
	}
}

// Commit implements keys.Store. A commit with a name or value that the contract
// does not allow is refused, and so is one that changes an entry twice; one
// without changes counts like any other. Errors: keys.ErrConflict,
// keys.ErrDamaged, ErrBusy, that of ctx, or that of the file that cannot be
// written: a full disk or a folder that cannot be written leaves the content as
// it was.
func (s *Store) Commit(ctx context.Context, base keys.Revision, given ...keys.Change) (keys.Revision, error) {
	return s.CommitAbove(ctx, base, 0, given...)
}

// CommitAbove implements keys.Backend.
func (s *Store) CommitAbove(ctx context.Context, base, floor keys.Revision, given ...keys.Change) (keys.Revision, error) {
	prepared, err := changes.Prepare(given)
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	release, err := s.lock(ctx)
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	defer release()
	rev, err := s.commitLocked(ctx, base, floor, prepared)
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	return rev, nil
}

// Limits implements keys.Store. There are none, but an entry that no line of the log
// could hold is refused with keys.ErrTooLarge.
func (s *Store) Limits() keys.Limits { return keys.Limits{} }

// Close implements keys.Store. There is nothing to release.
func (s *Store) Close() error { return nil }

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }
