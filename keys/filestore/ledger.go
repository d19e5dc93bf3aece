package filestore

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"kmproxy/keys"
	"kmproxy/keys/internal/disk"
	"kmproxy/keys/usage"
)

// usageName is the folder of the ledgers, beside the log. They are apart from it
// because counting must not make every change of a key look twice.
const usageName = "usage"

// maxLedgers is how many processes may count on one store at once.
const maxLedgers = 64

// ledger is a keys.Ledger in a file.
type ledger struct {
	store *Store
	id    string // stays with the file, so that a copy of it is known
	path  string
	lock  *disk.File
	disk  disk.Disk
	there mark // of the file as it was written last
}

// ledgerFile is a ledger as it stands on the disk.
type ledgerFile struct {
	Version int        `json:"kmproxy_usage"`
	ID      string     `json:"id,omitempty"`
	Uses    []keys.Use `json:"uses"`
}

// OpenLedger implements keys.Backend.
func (s *Store) OpenLedger(context.Context) (keys.Ledger, []keys.Use, error) {
	if err := s.makeLedgers(); err != nil {
		return nil, nil, fmt.Errorf("open usage ledger: %w", err)
	}
	for n := range maxLedgers {
		path := filepath.Join(s.path(usageName), strconv.Itoa(n)+".json")
		lock, err := tryLock(s.disk, path+".lock")
		if err != nil {
			return nil, nil, fmt.Errorf("open usage ledger: %w", err)
		}
		if lock == nil {
			continue // another process has it
		}
		before, err := readLedger(path)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("open usage ledger: %w", err), lock.Close())
		}
		return s.ledger(before.ID, path, lock), before.Uses, nil
	}
	return nil, nil, fmt.Errorf("open usage ledger: %d processes count on %s already", maxLedgers, s.dir)
}

func (s *Store) ledger(id, path string, lock *disk.File) *ledger {
	return &ledger{store: s, id: cmp.Or(id, rand.Text()), path: path, lock: lock, disk: s.disk, there: markOf(path)}
}

// makeLedgers makes the folder of the ledgers. Its name, and that of the store's own
// folder, must outlive the power before anything in it is acknowledged.
func (s *Store) makeLedgers() error {
	if err := makeFolder(s.disk, s.dir); err != nil {
		return err
	}
	if err := s.disk.SyncFolder(filepath.Dir(s.dir)); err != nil {
		return err
	}
	return s.makeUsage()
}

func (s *Store) makeUsage() error {
	if err := makeFolder(s.disk, s.path(usageName)); err != nil {
		return err
	}
	return s.disk.SyncFolder(s.dir)
}

// Write implements keys.Ledger. In a folder that took the place of the one before, it
// takes a ledger again.
func (l *ledger) Write(uses []keys.Use) error {
	if !l.isLocked() {
		if err := l.takeAgain(); err != nil {
			return fmt.Errorf("write usage ledger: %w", err)
		}
	}
	if err := l.replace(uses); err != nil {
		return err
	}
	l.there = markOf(l.path)
	return nil
}

func (l *ledger) replace(uses []keys.Use) error {
	content, err := json.Marshal(ledgerFile{1, l.id, uses})
	if err != nil {
		return fmt.Errorf("write usage ledger: %w", err)
	}
	if err := l.disk.Remove(l.path + stagedSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write usage ledger: %w", err) // a process died while it wrote
	}
	if err := stage(l.disk, l.path, func(f *disk.File) error { _, err := f.Write(append(content, '\n')); return err }); err != nil {
		return fmt.Errorf("write usage ledger: %w", err)
	}
	return publish(l.disk, l.path)
}

// Close implements keys.Ledger.
func (l *ledger) Close() error {
	err := unix.Flock(int(l.lock.Fd()), unix.LOCK_UN)
	return errors.Join(err, l.lock.Close())
}

// Uses implements keys.Backend. It adds up the ledgers of all processes.
func (s *Store) Uses(ctx context.Context) ([]keys.Use, error) {
	files, err := filepath.Glob(filepath.Join(s.path(usageName), "*.json"))
	if err != nil {
		return nil, fmt.Errorf("read usage ledgers: %w", err)
	}
	var lists [][]keys.Use
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l, err := readLedger(path)
		if err != nil {
			return nil, err
		}
		lists = append(lists, l.Uses)
	}
	return usage.Sum(lists...), nil
}

func readLedger(path string) (l ledgerFile, err error) {
	content, err := readBounded(path, maxLedger)
	if errors.Is(err, os.ErrNotExist) {
		return ledgerFile{}, nil
	}
	if err != nil {
		return ledgerFile{}, err
	}
	if err := json.Unmarshal(content, &l); err != nil || l.Version != 1 {
		return ledgerFile{}, fmt.Errorf("%w: %s is not a usage ledger: move it away to count anew", keys.ErrDamaged, path)
	}
	return l, nil
}
