package wire

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestCloseLedger: the last write is waited for, but a disk that hangs does not hold
// up the end of the process.
func TestCloseLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs, written, closed := make(chan struct{}), make(chan struct{}), errors.New("closed")
		end := func() error { return closed }
		if err := closeLedger(hangs, end); !errors.Is(err, errLedger) {
			t.Errorf("a disk that hangs: %v", err)
		}
		go func() {
			time.Sleep(ledgerTime / 2)
			close(written)
		}()
		if err := closeLedger(written, end); !errors.Is(err, closed) {
			t.Errorf("a slow disk: %v", err)
		}
	})
}
