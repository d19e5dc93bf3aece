package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"kmproxy/keys"
)

// ReplaceUses implements keys.Backend. The ledgers of running processes stay, because
// those continue to count in memory.
func (s *Store) ReplaceUses(_ context.Context, uses []keys.Use) error {
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
