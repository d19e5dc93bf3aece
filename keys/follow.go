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
// keep it. It never goes back: a store that is gone, older, of another history,
// damaged or unreadable is not followed, and the Ring stays. It is safe for
// concurrent use.
type Live struct {
	store   Store
	master  envelope.Key
	served  atomic.Pointer[served]
	trouble atomic.Pointer[Trouble]
	newest  atomic.Uint64 // the highest revision that the store ever had
}

// served is a Ring and the history that it was proven by.
type served struct {
	ring *Ring
	past *history
}

// Trouble is why the store is not followed, and since when.
type Trouble struct {
	Err   error // ErrGone, ErrOlder, ErrOtherHistory, ErrResealed, ErrDamaged, audit.ErrBroken, or that of reading
	Since time.Time
}

// Open builds the first Ring. It fails if any record does not open, or is not the
// one that was last audited.
func Open(ctx context.Context, store Store, master envelope.Key) (*Live, error) {
	return Reopen(ctx, store, master, nil)
}

// Reopen is Open for a Live that takes the place of another, perhaps under another
// master key. It fails if the store is not what that one may follow: ErrGone,
// ErrOlder, ErrOtherHistory. A nil before makes it Open.
func Reopen(ctx context.Context, store Store, master envelope.Key, before *Live) (*Live, error) {
	l := &Live{store: store, master: master}
	l.served.Store(&served{})
	if before != nil {
		l.served.Store(before.served.Load())
	}
	if err := l.reload(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// Ring is the newest Ring that could be built.
func (l *Live) Ring() *Ring { return l.served.Load().ring }

// Newest is the highest revision that the store was seen to have. It is above the
// Ring's while the store is not followed.
func (l *Live) Newest() Revision { return Revision(l.newest.Load()) }

// Trouble tells why the store is not followed now; a zero one if it is.
func (l *Live) Trouble() Trouble {
	if t := l.trouble.Load(); t != nil {
		return *t
	}
	return Trouble{}
}

// Err tells why the newest state of the store is not what Ring shows; nil if it is.
func (l *Live) Err() error { return l.Trouble().Err }

// Follow brings the Ring up to date after every commit by anyone, also those
// since Open, until ctx ends. While the store cannot be followed the Ring stays,
// and it is tried again every second. The beginning of a trouble is reported
// once, and with a nil error its end; ErrResealed is a trouble of its own. Follow returns earlier, and says so to report and in Err, only
// if the store stops telling of changes. It runs once for each Live.
func (l *Live) Follow(ctx context.Context, report func(error)) {
	retry := time.NewTicker(tryAgain)
	defer retry.Stop()
	changed := l.store.Watch(ctx)
	var told error
	for {
		err := l.reload(ctx)
		if ctx.Err() != nil {
			return
		}
		if isNews(err, told) {
			report(err)
			told = err
		}
		if !l.wait(ctx, changed, retry.C) {
			break
		}
	}
	if ctx.Err() == nil {
		l.fail(errUnwatched)
		report(errUnwatched)
	}
}

// isNews reports whether err is to be reported after what was told last. Of what is
// wrong with a store only that is, that something is: on its way out and back it
// can be wrong in many ways.
func isNews(err, told error) bool {
	if err == nil || told == nil {
		return (err == nil) != (told == nil)
	}
	resealed, was := errors.Is(err, ErrResealed), errors.Is(told, ErrResealed)
	return resealed != was || resealed && err.Error() != told.Error()
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
	next, err := l.read(ctx)
	if err == nil {
		l.served.Store(next)
		l.trouble.Store(nil)
		return nil
	}
	err = fmt.Errorf("reading the keys: %w", err)
	if ctx.Err() == nil {
		l.fail(err)
	}
	return err
}

func (l *Live) read(ctx context.Context) (*served, error) {
	snap, err := l.store.Load(ctx)
	if err != nil {
		return nil, err
	}
	l.newest.Store(max(l.newest.Load(), uint64(snap.Revision)))
	before := l.served.Load()
	if before.ring != nil {
		if err := before.leadsTo(snap); err != nil {
			return nil, err
		}
		if err := l.overtaken(snap); err != nil {
			return nil, err
		}
	}
	ring, err := NewRing(snap, l.master, before.ring)
	if err != nil {
		return nil, err
	}
	past, err := before.past.prove(snap, l.master)
	return &served{ring, past}, err
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

// fail notes a trouble. It began when the one before it did.
func (l *Live) fail(err error) {
	since := time.Now()
	if t := l.trouble.Load(); t != nil {
		since = t.Since
	}
	l.trouble.Store(&Trouble{err, since})
}

// Current tells whether Ring shows the store's newest revision.
func (l *Live) Current(ctx context.Context) (bool, error) {
	snap, err := l.store.Load(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the store: %w", err)
	}
	return l.Ring().revision == snap.Revision, nil
}
