package ring

import (
	"errors"
	"fmt"

	"kmproxy/keys"
)

// Errors of a store that a Live does not follow, because it would go back.
var (
	// ErrGone reports that a store which held something holds nothing.
	ErrGone = errors.New("the store is gone or empty")
	// ErrOlder reports a store of a lower revision than the Ring shows.
	ErrOlder = errors.New("the store is older than what is served")
	// ErrOtherHistory reports a store whose audit record does not go on from the
	// one that the Ring was proven by.
	ErrOtherHistory = errors.New("the store has another history than what is served")
)

// leadsTo wants a snapshot to hold all that was served, or to have replaced it by
// a later commit.
func (before *served) leadsTo(s keys.Snapshot) error {
	is := before.ring.revision
	switch {
	case is == 0:
		return nil
	case len(s.Entries) == 0:
		return fmt.Errorf("%w, and the keys in use are of revision %d: put it back or restore a backup", ErrGone, is)
	case s.Revision < is:
		return fmt.Errorf("%w: it has revision %d, and the keys in use are of revision %d: put the newest back; if an older backup was restored, restart kmproxy to serve it", ErrOlder, s.Revision, is)
	case !before.past.IsIn(s):
		return fmt.Errorf("%w: audit entry %d is missing or another, and the keys in use are of revision %d: if a backup was restored, restart kmproxy to serve it", ErrOtherHistory, before.past.Last(), is)
	}
	return nil
}
