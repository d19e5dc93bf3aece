package wire

import (
	"context"
	"fmt"
	"os"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/backup"
)

// WriteBackup writes the store that a config describes to a new file, durably
// and with mode 0600. It needs no master key, and others may write meanwhile:
// the backup is the store at one revision. If the file is there already the
// error is fs.ErrExist.
func WriteBackup(ctx context.Context, c config.Config, w World, path string) (backup.Backup, error) {
	b := backup.Backup{CreatedAt: w.Now()}
	store, err := openBackend(c, ToRead)
	if err != nil {
		return b, err
	}
	if !store.Exists(ctx) {
		return b, fmt.Errorf("%w at %s", ErrNoStore, c.Store.Dir)
	}
	if b.Store, err = store.Load(ctx); err != nil {
		return b, fmt.Errorf("opening the store: %w", err)
	}
	if len(b.Store.Entries) == 0 {
		return b, fmt.Errorf("%w: the store %s holds nothing", keys.ErrRefused, c.Store)
	}
	if err := backup.Check(b.Store); err != nil {
		return b, fmt.Errorf("the store is not in order, and no backup of it could be restored: %w", err)
	}
	if b.Uses, err = store.Uses(ctx); err != nil {
		return b, err
	}
	return b, createFile(path, func(to *os.File) error { return backup.Write(to, b) })
}

func readBackup(path string) (backup.Backup, error) {
	f, err := os.Open(path)
	if err != nil {
		return backup.Backup{}, fmt.Errorf("reading the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return backup.Read(f)
}
