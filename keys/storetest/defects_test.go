package storetest_test

import (
	"context"
	"errors"
	"maps"
	"sync"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

// defect is a store that breaks one clause of the contract, and the check that
// must notice.
type defect struct {
	foundBy string
	open    func() keys.Backend
}

func defects() map[string]defect {
	return map[string]defect{
		"never empty":          {"a new store is empty", open(neverEmpty)},
		"late loads":           {"a commit is seen at once", open(lateLoads)},
		"one revision":         {"an entry keeps the revision that wrote it", open(oneRevision)},
		"deleted is null":      {"a deleted entry is absent", open(deletedIsNull)},
		"absent is an error":   {"an absent entry can be deleted", open(absentIsError)},
		"erase deletes":        {"erasing sets and deletes like any change", open(eraseDeletes)},
		"short names":          {"every name of the grammar is taken", open(shortNames)},
		"any name":             {"other names are refused", open(anyName)},
		"one by one":           {"one commit is all or nothing", open(oneByOne)},
		"conflict is written":  {"another base is a conflict", open(conflictIsWritten)},
		"one map":              {"a snapshot never changes", open(oneMap)},
		"callers bytes":        {"the store keeps its own bytes", open(callersBytes)},
		"forgets":              {"random commits match a map", open(forgets)},
		"last one wins":        {"one of several writers wins", open(lastOneWins)},
		"compares too early":   {"no update is lost", open(comparesTooEarly)},
		"torn loads":           {"readers see whole commits only", open(tornLoads)},
		"tells once":           {"watch tells of every commit", open(tellsOnce)},
		"never ends":           {"watch ends with its context", open(neverEnds)},
		"waits for watchers":   {"a watch nobody reads blocks nobody", open(waitsForWatchers)},
		"loses at close":       {"closing loses nothing", open(losesAtClose)},
		"takes too little":     {"a commit within the limits is taken", limited(keys.Limits{Changes: 9}, keys.Limits{Changes: 10})},
		"takes too few bytes":  {"a commit within the limits is taken", limited(keys.Limits{Bytes: 99}, keys.Limits{Bytes: 100})},
		"takes too much":       {"a commit beyond the limits is refused", limited(keys.Limits{Changes: 10}, keys.Limits{Changes: 9})},
		"takes too many bytes": {"a commit beyond the limits is refused", limited(keys.Limits{Bytes: 100}, keys.Limits{Bytes: 99})},
		"never exists":         {"a store exists after its first commit", func() keys.Backend { return absent{memstore.New()} }},
		"no floor":             {"a commit passes over a floor", func() keys.Backend { return floorless{memstore.New()} }},
		"forgets uses":         {"a ledger outlives its process", func() keys.Backend { return forgetful{memstore.New()} }},
		"one ledger":           {"each process counts apart", func() keys.Backend { return &oneLedger{Store: memstore.New()} }},
		"keeps uses":           {"uses are replaced but for those of running processes", func() keys.Backend { return keepsUses{memstore.New()} }},
	}
}

func open(breakIt func(s *broken)) func() keys.Backend {
	return func() keys.Backend {
		s := &broken{Store: memstore.New()}
		s.load, s.commit, s.watch = s.Store.Load, s.Store.Commit, s.Store.Watch
		breakIt(s)
		return s
	}
}

// broken is a whole store but for the methods that a defect replaced.
type broken struct {
	*memstore.Store
	mu     sync.Mutex
	load   func(context.Context) (keys.Snapshot, error)
	commit func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error)
	watch  func(context.Context) <-chan struct{}
	close  func()
}

func (s *broken) Load(ctx context.Context) (keys.Snapshot, error) { return s.load(ctx) }

func (s *broken) Commit(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
	return s.commit(ctx, base, changes...)
}

func (s *broken) Watch(ctx context.Context) <-chan struct{} { return s.watch(ctx) }

func (s *broken) Close() error {
	if s.close != nil {
		s.close()
	}
	return s.Store.Close()
}

func (s *broken) snapshot() keys.Snapshot {
	snap, err := s.Store.Load(context.Background())
	if err != nil {
		panic(err)
	}
	snap.Entries = maps.Clone(snap.Entries)
	if snap.Entries == nil {
		snap.Entries = map[string]keys.Entry{}
	}
	return snap
}

// onLoad lets a defect change what a Load returns.
func (s *broken) onLoad(change func(*keys.Snapshot)) {
	s.load = func(context.Context) (keys.Snapshot, error) {
		snap := s.snapshot()
		s.mu.Lock()
		defer s.mu.Unlock()
		change(&snap)
		return snap, nil
	}
}

// onCommit lets a defect change what is committed.
func (s *broken) onCommit(change func(base *keys.Revision, changes []keys.Change) error) {
	s.commit = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := change(&base, changes); err != nil {
			return 0, err
		}
		return s.Store.Commit(ctx, base, changes...)
	}
}

var errDefect = errors.New("refused by a defective store")
