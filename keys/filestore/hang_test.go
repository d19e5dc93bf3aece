package filestore_test

import (
	"context"
	"errors"
	"testing"
)

// TestHangingStore: reading that hangs is told as a change is, and what waits for it
// can give up.
func TestHangingStore(t *testing.T) {
	whole, snap := small(t).last()
	dir := t.TempDir()
	write(t, dir, whole)
	s := open(t, dir)
	wantSame(t, load(t, s), snap)
	told := s.Watch(t.Context())
	wantTold(t, told) // that it began
	end := s.Hang()
	for range 3 {
		wantTold(t, told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := s.Load(ctx)
		failed <- err
	}()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	end()
	wantSame(t, load(t, s), snap)
}
