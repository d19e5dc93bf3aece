package keystest

import (
	"context"
	"errors"

	"kmproxy/keys"
)

// StoreWith is a store whose Load and Commit a test can replace.
type StoreWith struct {
	keys.Store
	Loading    func(context.Context) (keys.Snapshot, error)
	Committing func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error)
}

func (s *StoreWith) Load(ctx context.Context) (keys.Snapshot, error) {
	if s.Loading != nil {
		return s.Loading(ctx)
	}
	return s.Store.Load(ctx)
}

func (s *StoreWith) Commit(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
	if s.Committing != nil {
		return s.Committing(ctx, base, changes...)
	}
	return s.Store.Commit(ctx, base, changes...)
}

// ErrDisk is what a store that a test broke reports.
var ErrDisk = errors.New("no space left on device")
