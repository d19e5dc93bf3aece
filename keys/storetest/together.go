package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"kmproxy/keys"
)

// oneWins has several writers commit on one base at the same time.
func oneWins(t *testing.T, a, b keys.Backend) {
	const writers, rounds = 4, 15
	for base := range keys.Revision(rounds) {
		start, outcomes := make(chan struct{}), make(chan error, writers)
		for i, s := range [writers]keys.Store{a, b, a, b} {
			go func() {
				<-start
				_, err := s.Commit(t.Context(), base, set("winner", number(i)))
				outcomes <- err
			}()
		}
		close(start)
		wins := 0
		for range writers {
			if err := <-outcomes; err == nil {
				wins++
			} else if !errors.Is(err, keys.ErrConflict) {
				t.Errorf("commit on revision %d: %v", base, err)
			}
		}
		if wins != 1 {
			t.Fatalf("%d of %d writers committed on revision %d, want one", wins, writers, base)
		}
	}
}

// noLostUpdate has several writers add to one counter, each trying again after
// a conflict: the sum is right only if they exclude each other.
func noLostUpdate(t *testing.T, a, b keys.Backend) {
	const writers, each = 4, 15
	var all sync.WaitGroup
	for _, s := range [writers]keys.Store{a, b, a, b} {
		all.Go(func() {
			for range each {
				if err := Increment(t.Context(), s, "counter"); err != nil {
					t.Errorf("increment: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	wantContent(t, load(t, a), writers*each, content{"counter": {number(writers * each), writers * each}})
}

// Increment adds one to an entry that holds a number, or is absent for zero, and
// loads and decides again as often as another writer was first.
func Increment(ctx context.Context, s keys.Store, name string) error {
	for {
		snap, err := s.Load(ctx)
		if err != nil {
			return err
		}
		n := 0
		if e, there := snap.Entries[name]; there {
			if n, err = strconv.Atoi(string(e.Value)); err != nil {
				return fmt.Errorf("reading entry %s: %w", name, err)
			}
		}
		_, err = s.Commit(ctx, snap.Revision, set(name, number(n+1)))
		if !errors.Is(err, keys.ErrConflict) {
			return err
		}
	}
}

// wholeCommits reads while another writes "left" and "right" together, each
// commit with its own revision as the value.
func wholeCommits(t *testing.T, a, b keys.Backend) {
	const commits = 60
	var committed atomic.Uint64
	var readers sync.WaitGroup
	for _, s := range []keys.Store{a, b, b} {
		readers.Go(func() {
			for last := keys.Revision(0); last < commits && !t.Failed(); {
				last = readWhole(t, s, max(last, keys.Revision(committed.Load())))
			}
		})
	}
	for n := range keys.Revision(commits) {
		changes := []keys.Change{set("left", number(n+1)), set("right", number(n+1))}
		changes[0].Erase = n%7 == 0
		if _, err := a.Commit(t.Context(), n, changes...); err != nil {
			t.Errorf("commit: %v", err)
			break
		}
		committed.Store(uint64(n) + 1)
	}
	readers.Wait()
}

// readWhole loads once, wants a whole of at least revision least, and returns
// its revision.
func readWhole(t *testing.T, s keys.Store, least keys.Revision) keys.Revision {
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Errorf("load: %v", err)
		return 0
	}
	if snap.Revision < least {
		t.Errorf("loaded revision %d after revision %d was committed", snap.Revision, least)
	}
	for _, name := range []string{"left", "right"} {
		e, there := snap.Entries[name]
		if there != (snap.Revision > 0) || e.Revision != snap.Revision || there && string(e.Value) != number(snap.Revision) {
			t.Errorf("revision %d has %s = %s of revision %d", snap.Revision, name, e.Value, e.Revision)
		}
	}
	return snap.Revision
}
