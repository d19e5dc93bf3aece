package storetest_test

import (
	"context"
	"maps"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

func neverEmpty(s *broken) {
	s.onLoad(func(snap *keys.Snapshot) {
		if snap.Revision == 0 {
			snap.Entries["a"] = keys.Entry{Value: []byte(`1`)}
		}
	})
}

func lateLoads(s *broken) {
	last := s.snapshot()
	s.onLoad(func(snap *keys.Snapshot) { *snap, last = last, *snap })
}

func oneRevision(s *broken) {
	s.onLoad(func(snap *keys.Snapshot) {
		for name, e := range snap.Entries {
			snap.Entries[name] = keys.Entry{Value: e.Value, Revision: snap.Revision}
		}
	})
}

func deletedIsNull(s *broken) {
	s.onCommit(func(_ *keys.Revision, changes []keys.Change) error {
		for i := range changes {
			if changes[i].Value == nil {
				changes[i].Value = []byte(`null`)
			}
		}
		return nil
	})
}

func absentIsError(s *broken) {
	s.onCommit(func(_ *keys.Revision, changes []keys.Change) error {
		for _, c := range changes {
			if _, there := s.snapshot().Entries[c.Name]; c.Value == nil && !there {
				return errDefect
			}
		}
		return nil
	})
}

func eraseDeletes(s *broken) {
	s.onCommit(func(_ *keys.Revision, changes []keys.Change) error {
		for i := range changes {
			if changes[i].Erase {
				changes[i].Value = nil
			}
		}
		return nil
	})
}

func shortNames(s *broken) {
	s.onCommit(func(_ *keys.Revision, changes []keys.Change) error {
		if len(changes[0].Name) > 199 {
			return errDefect
		}
		return nil
	})
}

func anyName(s *broken) {
	s.onCommit(func(_ *keys.Revision, changes []keys.Change) error {
		changes[0].Name = "a"
		return nil
	})
}

func oneByOne(s *broken) {
	s.commit = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
		for _, c := range changes {
			if _, err := s.Store.Commit(ctx, s.snapshot().Revision, c); err != nil {
				return 0, err
			}
		}
		return base + 1, nil
	}
}

func conflictIsWritten(s *broken) {
	s.commit = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
		rev, err := s.Store.Commit(ctx, base, changes...)
		if err != nil {
			_, _ = s.Store.Commit(ctx, s.snapshot().Revision, changes...)
		}
		return rev, err
	}
}

func oneMap(s *broken) {
	shared := map[string]keys.Entry{}
	s.onLoad(func(snap *keys.Snapshot) {
		clear(shared)
		maps.Copy(shared, snap.Entries)
		snap.Entries = shared
	})
}

func callersBytes(s *broken) {
	var kept []byte
	s.onCommit(func(_ *keys.Revision, changes []keys.Change) error {
		kept = changes[0].Value
		return nil
	})
	s.onLoad(func(snap *keys.Snapshot) {
		for name := range snap.Entries {
			snap.Entries[name] = keys.Entry{Value: kept, Revision: snap.Revision}
		}
	})
}

func forgets(s *broken) {
	s.onLoad(func(snap *keys.Snapshot) {
		if snap.Revision > 100 {
			clear(snap.Entries)
		}
	})
}

func lastOneWins(s *broken) {
	s.onCommit(func(base *keys.Revision, _ []keys.Change) error {
		*base = s.snapshot().Revision
		return nil
	})
}

func comparesTooEarly(s *broken) {
	s.commit = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
		if base != s.snapshot().Revision {
			return 0, keys.ErrConflict
		}
		time.Sleep(time.Millisecond) // long enough for another writer between comparing and writing
		return s.Store.Commit(ctx, s.snapshot().Revision, changes...)
	}
}

func tornLoads(s *broken) {
	s.load = func(context.Context) (keys.Snapshot, error) {
		first := s.snapshot()
		time.Sleep(time.Millisecond) // long enough for a commit between the halves
		second := s.snapshot()
		if left, there := first.Entries["left"]; there {
			second.Entries["left"] = left
		}
		return second, nil
	}
	s.onCommit(func(*keys.Revision, []keys.Change) error {
		time.Sleep(100 * time.Microsecond)
		return nil
	})
}

func tellsOnce(s *broken) {
	s.watch = func(ctx context.Context) <-chan struct{} {
		told := make(chan struct{}, 1)
		told <- struct{}{}
		go func() { <-ctx.Done(); close(told) }()
		return told
	}
}

func neverEnds(s *broken) {
	s.watch = func(context.Context) <-chan struct{} {
		return s.Store.Watch(context.Background())
	}
}

func waitsForWatchers(s *broken) {
	told := make(chan struct{})
	s.watch = func(context.Context) <-chan struct{} { return told }
	s.onCommit(func(*keys.Revision, []keys.Change) error {
		told <- struct{}{}
		return nil
	})
}

func losesAtClose(s *broken) {
	s.close = func() {
		s.Store = memstore.New()
		s.load, s.commit = s.Store.Load, s.Store.Commit
	}
}
