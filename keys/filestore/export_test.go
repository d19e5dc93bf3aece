package filestore

import "time"

// SetClock and SetPatience take the time out of tests.
func (s *Store) SetClock(now func() time.Time) { s.now = now }

func (s *Store) SetPatience(d time.Duration) { s.patience = d }
