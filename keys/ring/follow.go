package ring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// How long after a failure the store is read again: seldom is for one whose reading
// takes long.
const (
	tryAgain = time.Second
	seldom   = 5 * time.Second
)

// ErrResealed reports that the store is re-sealed under another master key, or is
// being: nothing is wrong with the Ring, but it shows no change since.
var ErrResealed = errors.New("the store is re-sealed under another master key")

var (
	errUnwatched  = errors.New("the store stopped reporting changes: restart kmproxy")
	errUnreadable = errors.New("the store cannot be read")
)

// Live is a Ring that follows its store. Requests take the current Ring once and
// keep it. It never goes back: a store that is gone, older, of another history,
// damaged or unreadable is not followed, and the Ring stays. It is safe for
// concurrent use.
type Live struct {
	store   keys.Store
	master  envelope.Key
	served  atomic.Pointer[served]
	trouble atomic.Pointer[Trouble]
	newest  atomic.Uint64 // the highest revision that the store ever had
}

// served is a Ring and the history that it was proven by.
type served struct {
	ring *Ring
	past *vault.History
}

// Trouble is why the store is not followed, and since when.
type Trouble struct {
	Err   error // ErrGone, ErrOlder, ErrOtherHistory, ErrResealed, ErrDamaged, ErrSlow, audit.ErrBroken, or that of reading
	Since time.Time
}

// Open builds the first Ring. It fails if any record does not open, or is not the
// one that was last audited.
func Open(ctx context.Context, store keys.Store, master envelope.Key) (*Live, error) {
	return Reopen(ctx, store, master, nil)
}

// Reopen is Open for a Live that takes the place of another, perhaps under another
// master key. It fails if the store is not what that one may follow: ErrGone,
// ErrOlder, ErrOtherHistory. A nil before makes it Open.
func Reopen(ctx context.Context, store keys.Store, master envelope.Key, before *Live) (*Live, error) {
	l := &Live{store: store, master: master}
	l.served.Store(&served{})
	if before != nil {
		l.served.Store(before.served.Load())
	}
	next, err := l.read(ctx)
	if err := l.take(next, err); err != nil {
		return nil, err
	}
	return l, nil
}

// Ring is the newest Ring that could be built.
func (l *Live) Ring() *Ring { return l.served.Load().ring }

// Newest is the highest revision that the store was seen to have. It is above the
// Ring's while the store is not followed.
func (l *Live) Newest() keys.Revision { return keys.Revision(l.newest.Load()) }

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
// and it is tried again every second, or more seldom if reading takes long. The
// beginning of a trouble is reported once, another kind of it once it has lasted,
// and with a nil error its end; ErrResealed is a trouble of its own. Follow returns
// earlier, and says so to report and in Err, only if the store stops telling of
// changes. It runs once for each Live. A Load that does not return is waited for,
// and no other is begun: Follow returns without it when ctx ends.
func (l *Live) Follow(ctx context.Context, report func(error)) {
	changed := l.store.Watch(ctx)
	tell := telling{report: report}
	for {
		took, ok := l.update(ctx, &tell)
		if !ok {
			return
		}
		if !l.wait(ctx, changed, took) {
			break
		}
	}
	if ctx.Err() == nil {
		l.fail(errUnwatched, time.Now())
		report(errUnwatched)
	}
}

// wait reports whether there is something to read now, or never again. A store that
// cannot be followed is read again without being told to, after a pause that grows
// with the time that reading takes.
func (l *Live) wait(ctx context.Context, changed <-chan struct{}, took time.Duration) bool {
	var retry <-chan time.Time
	if l.Err() != nil {
		timer := time.NewTimer(max(tryAgain, min(3*took, seldom)))
		defer timer.Stop()
		retry = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case _, ok := <-changed:
		return ok
	case <-retry:
		return true
	}
}

// take makes what was read the Ring, or notes why it is not.
func (l *Live) take(next *served, err error) error {
	if err != nil {
		err = plainly(err)
		l.fail(err, time.Now())
		return err
	}
	l.served.Store(next)
	l.trouble.Store(nil)
	return nil
}

// plainly says what failed to one who did not ask for it to be done.
func plainly(err error) error {
	switch {
	case kindOf(err) != errUnreadable:
		return err // begins with what is wrong with the store
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w: give it back to the user that kmproxy runs as", errUnreadable, err)
	}
	return fmt.Errorf("%w: %w", errUnreadable, err)
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
	ring, err := New(snap, l.master, before.ring)
	if err != nil {
		return nil, err
	}
	past, err := before.past.Prove(snap, l.master)
	return &served{ring, past}, err
}

// overtaken tells that our master key is no longer the store's, or will not be
// soon. The text is the same until it is another key, so that it is told once.
func (l *Live) overtaken(s keys.Snapshot) error {
	r, ok, err := keys.ReadSeal(s)
	if err != nil || !ok {
		return nil // New says what that is
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
func (l *Live) fail(err error, since time.Time) {
	if t := l.trouble.Load(); t != nil {
		since = t.Since
	}
	l.trouble.Store(&Trouble{err, since})
}
