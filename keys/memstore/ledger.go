package memstore

import (
	"context"
	"slices"

	"kmproxy/keys"
	"kmproxy/keys/usage"
)

// ledger is a keys.Ledger in memory. Its fields belong to the lock of its store.
type ledger struct {
	store *Store
	uses  []keys.Use
	taken bool // by a process that has not closed it
}

// Uses implements keys.Backend.
func (s *Store) Uses(context.Context) ([]keys.Use, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lists [][]keys.Use
	for _, l := range s.ledgers {
		lists = append(lists, l.uses)
	}
	return usage.Sum(lists...), nil
}

// OpenLedger implements keys.Backend.
func (s *Store) OpenLedger(context.Context) (keys.Ledger, []keys.Use, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.ledgers, func(l *ledger) bool { return !l.taken })
	if i < 0 {
		i = len(s.ledgers)
		s.ledgers = append(s.ledgers, &ledger{store: s})
	}
	l := s.ledgers[i]
	l.taken = true
	return l, slices.Clone(l.uses), nil
}

// ReplaceUses implements keys.Backend.
func (s *Store) ReplaceUses(_ context.Context, uses []keys.Use) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledgers = slices.DeleteFunc(s.ledgers, func(l *ledger) bool { return !l.taken })
	s.ledgers = append(s.ledgers, &ledger{store: s, uses: slices.Clone(uses)})
	return nil
}

// Write implements keys.Ledger.
func (l *ledger) Write(uses []keys.Use) error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.uses = slices.Clone(uses)
	return nil
}

// Lost implements keys.Ledger. Nothing is lost in memory.
func (l *ledger) Lost() bool { return false }

// Close implements keys.Ledger.
func (l *ledger) Close() error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.taken = false
	return nil
}
