package storetest_test

import (
	"context"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

// mislimited is a store that has other limits than it says.
type mislimited struct {
	*memstore.Store
	says keys.Limits
}

func limited(has, says keys.Limits) func() keys.Backend {
	return func() keys.Backend { return mislimited{memstore.Limited(has), says} }
}

func (s mislimited) Limits() keys.Limits { return s.says }

type absent struct{ *memstore.Store }

func (absent) Exists(context.Context) bool { return false }

type floorless struct{ *memstore.Store }

func (s floorless) CommitAbove(ctx context.Context, base, _ keys.Revision, changes ...keys.Change) (keys.Revision, error) {
	return s.Commit(ctx, base, changes...)
}

type forgetful struct{ *memstore.Store }

func (s forgetful) OpenLedger(ctx context.Context) (keys.Ledger, []keys.Use, error) {
	l, _, err := s.Store.OpenLedger(ctx)
	return l, nil, err
}

// oneLedger gives every process the same ledger.
type oneLedger struct {
	*memstore.Store
	ledger keys.Ledger
}

func (s *oneLedger) OpenLedger(ctx context.Context) (l keys.Ledger, before []keys.Use, err error) {
	if s.ledger == nil {
		s.ledger, before, err = s.Store.OpenLedger(ctx)
	}
	return s.ledger, before, err
}

type keepsUses struct{ *memstore.Store }

func (keepsUses) ReplaceUses(context.Context, []keys.Use) error { return nil }
