package filestore

import (
	"context"
	"time"

	"kmproxy/keys/internal/disk"
)

// SetClock and SetPatience take the time out of tests.
func (s *Store) SetClock(now func() time.Time) { s.now = now }

func (s *Store) SetPatience(d time.Duration) { s.patience = d }

// SetDisk lets a test see what the store changes.
func (s *Store) SetDisk(d disk.Disk) { s.disk = d }

// Holds reads the log again.
func (s *Store) Holds(ctx context.Context) bool { return s.holds(ctx) }

// Hang makes reading hang until the function that it returns is called.
func (s *Store) Hang() (end func()) {
	s.mu.Lock()
	return s.mu.Unlock
}
