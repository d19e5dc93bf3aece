package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"kmproxy/keys"
)

// ReplaceUses makes uses what was counted by all processes that have ended. The
// ledgers of running ones stay, because they go on counting in memory. An error
// may leave part of it done; doing it again is safe.
func (s *Store) ReplaceUses(uses []keys.Use) error {
	if err := s.makeLedgers(); err != nil {
		return fmt.Errorf("replace usage ledgers: %w", err)
	}
	for n := range maxLedgers {
		path := filepath.Join(s.path(usageName), strconv.Itoa(n)+".json")
		if _, err := os.Stat(path); len(uses) == 0 && errors.Is(err, os.ErrNotExist) {
			continue
		}
		lock, err := tryLock(s.disk, path+".lock")
		if err != nil {
			return fmt.Errorf("replace usage ledgers: %w", err)
		}
		if lock == nil {
			continue // a running process has it
		}
		l := s.ledger("", path, lock)
		if err := errors.Join(l.Write(uses), l.Close()); err != nil {
			return fmt.Errorf("replace usage ledgers: %w", err)
		}
		uses = nil // the others hold nothing then
	}
	if len(uses) > 0 {
		return fmt.Errorf("replace usage ledgers: %d processes count on %s", maxLedgers, s.dir)
	}
	return nil
}
