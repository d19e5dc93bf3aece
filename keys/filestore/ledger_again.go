package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"kmproxy/keys/internal/disk"
)

// Lost implements keys.Ledger. It reports whether the ledger's file is no longer what
// was written last, or its lock no longer the one that others would try: the folder
// was taken away or replaced.
func (l *ledger) Lost() bool { return !l.isLocked() || markOf(l.path) != l.there }

func (l *ledger) isLocked() bool {
	mine, err := l.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(l.lock.Name())
	return err == nil && os.SameFile(mine, there)
}

// takeAgain takes a ledger in a folder that took the place of the one that this one
// was in: an older copy of this one, which is then replaced, else one that is not
// there yet. It never makes the store's own folder, and waits until a store is in it.
func (l *ledger) takeAgain() error {
	if _, err := os.Lstat(l.store.path(headName)); err != nil {
		return err
	}
	if err := l.store.makeUsage(); err != nil {
		return err
	}
	for _, id := range []string{l.id, ""} {
		for n := range maxLedgers {
			path := filepath.Join(l.store.path(usageName), strconv.Itoa(n)+".json")
			lock, err := tryCopy(l.disk, path, id)
			if err != nil {
				return err
			}
			if lock != nil {
				_ = l.lock.Close() // which gives the former one up
				l.path, l.lock = path, lock
				return nil
			}
		}
	}
	return fmt.Errorf("%d processes count on %s already", maxLedgers, l.store.dir)
}

// tryCopy takes the lock of a ledger that has that id, or of one that is not there if
// the id is empty. It returns nil and no error if it is another one.
func tryCopy(d disk.Disk, path, id string) (*disk.File, error) {
	if !isCopy(path, id) {
		return nil, nil
	}
	lock, err := tryLock(d, path+".lock")
	if lock == nil || err != nil || isCopy(path, id) {
		return lock, err
	}
	return nil, lock.Close() // another process wrote it meanwhile
}

func isCopy(path, id string) bool {
	if id == "" {
		_, err := os.Lstat(path)
		return errors.Is(err, os.ErrNotExist)
	}
	before, err := readLedger(path)
	return err == nil && before.ID == id
}
