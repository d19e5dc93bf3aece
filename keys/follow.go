package keys

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"kmproxy/crypto/envelope"
)

// tryAgain is how long after a failure the store is read again.
const tryAgain = time.Second

// ErrResealed reports that the store is re-sealed under another master key, or is
// being: nothing is wrong with the Ring, but it shows no change since.
var ErrResealed = errors.New("the store is re-sealed under another master key")

var errUnwatched = errors.New("following the keys: the store tells of no more changes; restart to go on")

// Live is a Ring that follows its store. Requests take the current Ring once and
// keep it. It is safe for concurrent use.
type Live struct {
	store  Store
	master envelope.Key
	past   *history // of the Ring; Open and Follow alone touch it
	ring   atomic.Pointer[Ring]
	failed atomic.Pointer[error]
}

// Open builds the first Ring. It fails if any record does not open, or is not the
// one that was last audited.
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

// Follow brings the Ring up to date after every commit by anyone, also those
// since Open, until ctx ends. What cannot be read is reported once, the Ring
// before it stays, and it is tried again every second. It returns earlier, and
// says so to report and in Err, only if the store stops telling of changes. It
// runs once for each Live.
func (l *Live) Follow(ctx context.Context, report func(error)) {
	retry := time.NewTicker(tryAgain)
	defer retry.Stop()
	changed := l.store.Watch(ctx)
	told := ""
	for {
		err := l.reload(ctx)
		if ctx.Err() != nil {
			return
		}
		told = tell(report, err, told)
		if !l.wait(ctx, changed, retry.C) {
			break
		}
	}
	if ctx.Err() == nil {
		l.fail(errUnwatched)
		report(errUnwatched)
	}
}

// tell reports a trouble unless it is the one that was told last.
func tell(report func(error), err error, told string) string {
	if err == nil {
		return ""
	}
	if err.Error() != told {
		report(err)
	}
	return err.Error()
}

// wait tells whether there is something to read now, or never again.
func (l *Live) wait(ctx context.Context, changed <-chan struct{}, retry <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case _, ok := <-changed:
			return ok
		case <-retry:
			if l.Err() != nil {
				return true
			}
		}
	}
}

// reload leaves Err as it is when ctx ends: that says nothing of the store.
func (l *Live) reload(ctx context.Context) error {
	next, past, err := l.read(ctx)
	if err == nil {
		l.past = past
		l.ring.Store(next)
		l.failed.Store(nil)
		return nil
	}
	err = fmt.Errorf("reading the keys: %w", err)
	if ctx.Err() == nil {
		l.fail(err)
	}
	return err
}

func (l *Live) read(ctx context.Context) (*Ring, *history, error) {
	snap, err := l.store.Load(ctx)
	if err != nil {
		return nil, nil, err
	}
	before := l.ring.Load()
	if before != nil {
		if err := l.overtaken(snap); err != nil {
			return nil, nil, err
		}
	}
	ring, err := NewRing(snap, l.master, before)
	if err != nil {
		return nil, nil, err
	}
	past, err := l.past.prove(snap, l.master)
	return ring, past, err
}

// overtaken tells that our master key is no longer the store's, or will not be
// soon. The text is the same until it is another key, so that it is told once.
func (l *Live) overtaken(s Snapshot) error {
	r, ok, err := ReadSeal(s)
	if err != nil || !ok {
		return nil // NewRing says what that is
	}
	now := r.KeyID
	switch {
	case r.Next != nil: // back to ours, perhaps: that is not read before it is done either
		now = r.Next.KeyID
	case now == l.master.ID():
		return nil
	}
	return fmt.Errorf("%w, %s: the keys in use stay, and changes are not followed: when it is done, name that master key in the config and reload", ErrResealed, now)
}

func (l *Live) fail(err error) { l.failed.Store(&err) }

// Current tells whether Ring shows the store's newest revision.
func (l *Live) Current(ctx context.Context) (bool, error) {
	snap, err := l.store.Load(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the store: %w", err)
	}
	return l.ring.Load().revision == snap.Revision, nil
}
