package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/backup"
	"kmproxy/keys/filestore"
)

// ErrHolds reports a store that is not empty.
var ErrHolds = errors.New("the store holds something already")

// WriteBackup writes the store that a config describes to a new file, durably
// and with mode 0600. It needs no master key, and others may write meanwhile:
// the backup is the store at one revision. If the file is there already the
// error is fs.ErrExist.
func WriteBackup(ctx context.Context, c config.Config, w World, path string) (backup.Backup, error) {
	b := backup.Backup{CreatedAt: w.Now()}
	store, err := filestore.Open(c.Store.Dir)
	if err != nil {
		return b, fmt.Errorf("opening the store: %w", err)
	}
	if !store.Exists() {
		return b, fmt.Errorf("%w at %s", ErrNoStore, c.Store.Dir)
	}
	if b.Store, err = store.Load(ctx); err != nil {
		return b, fmt.Errorf("opening the store: %w", err)
	}
	if len(b.Store.Entries) == 0 {
		return b, fmt.Errorf("%w: the store %s holds nothing", keys.ErrRefused, c.Store)
	}
	if err := keys.CheckContent(b.Store); err != nil {
		return b, fmt.Errorf("the store is not in order, and no backup of it could be restored: %w", err)
	}
	if b.Uses, err = store.Uses(ctx); err != nil {
		return b, err
	}
	return b, createFile(path, func(to *os.File) error { return backup.Write(to, b) })
}

// Restore puts a backup into the store that a config describes, after it was
// read and proven as a whole. With replace, nothing of what is there now stays;
// without it, a store that holds anything is refused with ErrHolds. Errors of
// the file are backup.ErrBad, and then nothing was changed.
func Restore(ctx context.Context, c config.Config, path string, replace bool) (backup.Backup, error) {
	b, err := readBackup(path)
	if err != nil {
		return b, err
	}
	if err := makeFolders(filepath.Dir(c.Store.Dir)); err != nil {
		return b, fmt.Errorf("making the store's folder: %w", err)
	}
	store, err := filestore.Open(c.Store.Dir)
	if err != nil {
		return b, fmt.Errorf("opening the store: %w", err)
	}
	present, err := store.Load(ctx)
	if err != nil {
		return b, fmt.Errorf("opening the store: %w", err)
	}
	if len(present.Entries) > 0 && !replace {
		return b, fmt.Errorf("%w: %s has %d records", ErrHolds, c.Store, len(present.Entries))
	}
	if _, err := store.Commit(ctx, present.Revision, replacing(present, b.Store)...); err != nil {
		return b, fmt.Errorf("writing to the store: %w", err)
	}
	if err := store.ReplaceUses(b.Uses); err != nil { // after the commit made the folder
		return b, fmt.Errorf("the records are restored, but not how often each key was used: %w", err)
	}
	return b, nil
}

func readBackup(path string) (backup.Backup, error) {
	f, err := os.Open(path)
	if err != nil {
		return backup.Backup{}, fmt.Errorf("reading the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return backup.Read(f)
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
