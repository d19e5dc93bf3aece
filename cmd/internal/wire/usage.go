package wire

import (
	"context"
	"errors"
	"time"
)

// ledgerTime is how long the last write of the ledger may take.
const ledgerTime = 2 * time.Second

var errLedger = errors.New("the usage ledger misses the last uses: its disk does not answer")

// keepUsage writes down who uses which key until the function it returns is
// called, which comes back when the ledger is complete, or its disk hangs.
func (l *lasting) keepUsage() (complete func() error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.usage.Keep(ctx, l.counted, l.ledger.Write, l.ledger.Lost, func(err error) {
			l.log.Error("the usage ledger cannot be written: it is tried again", "error", err)
		})
	}()
	return func() error {
		stop()
		return closeLedger(done, l.ledger.Close)
	}
}

func closeLedger(written <-chan struct{}, end func() error) error {
	select {
	case <-written:
		return end()
	case <-time.After(ledgerTime):
		return errLedger
	}
}
