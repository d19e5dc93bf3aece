package keys

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"kmproxy/crypto/envelope"
)

// Live is a Ring that follows its store. Requests take the current Ring once and
// keep it. It is safe for concurrent use.
type Live struct {
	store  Store
	master envelope.Key
	ring   atomic.Pointer[Ring]
	failed atomic.Pointer[error]
}

// Open builds the first Ring. It fails if any record does not open.
func Open(ctx context.Context, store Store, master envelope.Key) (*Live, error) {
	l := &Live{store: store, master: master}
	if err := l.reload(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// Ring is the newest Ring that could be built.
func (l *Live) Ring() *Ring { return l.ring.Load() }

// Err tells why the newest state of the store is not what Ring shows; nil if it is.
func (l *Live) Err() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Follow brings the Ring up to date after every commit by anyone, until ctx
// ends. What cannot be read is reported, the Ring before it stays, and it is
// tried again.
func (l *Live) Follow(ctx context.Context, report func(error)) {
	const again = time.Second
	retry := time.NewTicker(again)
	defer retry.Stop()
	changed := l.store.Watch(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-changed:
			if !ok {
				return
			}
		case <-retry.C:
			if l.Err() == nil {
				continue
			}
		}
		if err := l.reload(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
	}
}

func (l *Live) reload(ctx context.Context) error {
	snap, err := l.store.Load(ctx)
	if err == nil {
		if now := l.ring.Load(); now != nil && now.revision == snap.Revision && l.Err() == nil {
			return nil
		}
		var next *Ring
		if next, err = NewRing(snap, l.master, l.ring.Load()); err == nil {
			l.ring.Store(next)
			l.failed.Store(nil)
			return nil
		}
	}
	err = fmt.Errorf("reading the keys: %w", err)
	l.failed.Store(&err)
	return err
}

// Current tells whether Ring shows the store's newest revision.
func (l *Live) Current(ctx context.Context) (bool, error) {
	snap, err := l.store.Load(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the store: %w", err)
	}
	return l.ring.Load().revision == snap.Revision, nil
}
