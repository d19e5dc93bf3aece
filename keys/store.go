package keys

import (
	"context"
	"errors"
)

// Revision counts the commits of a store. The zero Revision is the empty store
// before its first commit. A restore may pass over some.
type Revision uint64

// Entry is one named value and the revision that last wrote it.
type Entry struct {
	Value    []byte // one JSON document; readers must not change it
	Revision Revision
}

// Snapshot is the whole content of a store at one revision. It is immutable:
// the map and its values are shared and must not be changed.
type Snapshot struct {
	Revision Revision
	Entries  map[string]Entry
}

// Change sets or deletes one entry.
type Change struct {
	Name  string
	Value []byte // one JSON document; nil deletes the entry
	// Erase says that the value which stands there now holds a secret that must
	// not outlive this commit in any file or history of the store. With it goes
	// every other value, of any entry, that was replaced before.
	Erase bool
}

// Errors that callers of a Store decide on.
var (
	// ErrConflict reports that another writer committed first: load again, and
	// decide again.
	ErrConflict = errors.New("the store was changed by somebody else meanwhile")
	// ErrDamaged reports content that this store never wrote as it stands.
	// Nothing is served from it and nothing is written over it.
	ErrDamaged = errors.New("the store is damaged")
)

// Store keeps named JSON documents under one revision. It knows nothing of what
// they mean.
//
// The contract, which package storetest checks:
//
//   - Names are made of letters, digits and the characters "-_./", 1 to 200
//     bytes. An entry that was never set, or was deleted, is absent from
//     Snapshot.Entries.
//   - Load returns a consistent whole: every change of every commit up to
//     Snapshot.Revision and nothing of a later one. A Load that starts after a
//     Commit returned, in this process or another, sees that commit.
//   - Commit applies all changes or none, and only if the newest revision is
//     still base; otherwise ErrConflict and nothing happened. When it returns
//     nil, the changes are durable: they outlive the process and the power. An
//     error other than ErrConflict leaves the outcome to be read by Load.
//   - Commit refuses changes that are beyond Limits with ErrTooLarge, and nothing
//     happened. Changes within them are never too many or too large. Limits does
//     not change.
//   - Two writers at once, in one process or several, exclude each other.
//   - Watch sends on the returned channel, within a second, after commits by
//     anyone. Several commits may be told by one send; the first send may come
//     without any. The channel is closed when ctx ends.
//   - All methods are safe for concurrent use.
//
// It does not promise a history, an order of entries, or that a value was
// checked in any way beyond being what was committed.
type Store interface {
	Load(ctx context.Context) (Snapshot, error)
	Commit(ctx context.Context, base Revision, changes ...Change) (Revision, error)
	Watch(ctx context.Context) <-chan struct{}
	Limits() Limits
	Close() error
}
