package wire

import (
	"context"
	"errors"
	"fmt"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/backup"
	"kmproxy/keys/manage"
)

// ErrHolds reports a store that is not empty.
var ErrHolds = errors.New("the store holds something already")

// Restored is what a restore did.
type Restored struct {
	Backup backup.Backup
	OnTop  bool  // the store held something, and the restore is a commit on top of it
	Apart  error // manage.ErrApart: why what the store held was given up; nil: it was not
}

// Restore puts a backup into the store that a config describes, after it was
// read and proven as a whole. A store that holds anything is refused with ErrHolds
// unless replace is set; then the backup becomes a commit on top of it, which takes
// the master key, or, where the two have no common history, takes its place. Errors
// of the file are backup.ErrBad, and then nothing was changed.
func Restore(ctx context.Context, c config.Config, w World, who keys.Actor, path string, replace bool) (Restored, error) {
	b, err := readBackup(path)
	if err != nil {
		return Restored{}, err
	}
	store, err := openBackend(c, ToWrite)
	if err != nil {
		return Restored{}, err
	}
	present, err := store.Load(ctx)
	if err != nil {
		return Restored{}, fmt.Errorf("opening the store: %w", err)
	}
	if len(present.Entries) == 0 {
		return Restored{Backup: b}, replaceAll(ctx, store, present, b)
	}
	if !replace {
		return Restored{}, fmt.Errorf("%w: %s has %d records", ErrHolds, c.Store, len(present.Entries))
	}
	err = putOnTop(ctx, store, present, b, c, w, who)
	if errors.Is(err, manage.ErrApart) {
		return Restored{Backup: b, Apart: err}, replaceAll(ctx, store, present, b)
	}
	return Restored{Backup: b, OnTop: true}, err
}

// putOnTop makes a backup a commit on top of what the store holds. What was counted
// of uses goes on: it belongs to the same keys. Its error is manage.ErrApart if that
// cannot be.
func putOnTop(ctx context.Context, store keys.Backend, present keys.Snapshot, b backup.Backup, c config.Config, w World, who keys.Actor) error {
	if err := manage.OneHistory(present, b.Store); err != nil {
		return err
	}
	vault, err := unlock(ctx, store, c, w, ToRead)
	if err != nil {
		return err
	}
	m, err := manage.New(ctx, manage.Config{Store: above{store, countsFrom(b)}, Master: vault.Master, KDF: vault.kdf,
		MaxPerProject: c.Keys.MaxPerProject, Now: w.Now})
	if err != nil {
		return err
	}
	err = m.Restore(ctx, who, b.Store)
	if errors.Is(err, manage.ErrForged) {
		return fmt.Errorf("%w: %w", backup.ErrBad, err)
	}
	return err
}

// above is a store whose next revision is above floor, so that nodes which have seen
// floor do not take it for an older one.
type above struct {
	keys.Backend
	floor keys.Revision
}

// mostCommits is more than any store has had.
const mostCommits = 1 << 40

// countsFrom is the revision that a store counts on from after it got that backup.
// Nothing authenticates the one that the file names, and a number near the end of the
// range would leave a store without revisions.
func countsFrom(b backup.Backup) keys.Revision {
	if b.Store.Revision > mostCommits {
		return 0
	}
	return b.Store.Revision
}

// Commit implements keys.Store.
func (s above) Commit(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
	return s.CommitAbove(ctx, base, s.floor, changes...)
}

// replaceAll leaves nothing of what the store holds.
func replaceAll(ctx context.Context, store keys.Backend, present keys.Snapshot, b backup.Backup) error {
	if _, err := store.CommitAbove(ctx, present.Revision, countsFrom(b), replacing(present, b.Store)...); err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	if err := store.ReplaceUses(ctx, b.Uses); err != nil { // after the commit made the folder
		return fmt.Errorf("the records are restored, but not how often each key was used: %w", err)
	}
	return nil
}

// replacing are the changes that lead from one content to another and leave
// nothing of the former behind.
func replacing(from, to keys.Snapshot) []keys.Change {
	var out []keys.Change
	for name := range from.Entries {
		if _, stays := to.Entries[name]; !stays {
			out = append(out, keys.Change{Name: name, Erase: true})
		}
	}
	for name, entry := range to.Entries {
		_, was := from.Entries[name]
		out = append(out, keys.Change{Name: name, Value: entry.Value, Erase: was})
	}
	return out
}
