package wire

import "context"

// keepUsage writes down who uses which key until the function it returns is
// called, which comes back when the ledger is complete.
func (l *lasting) keepUsage() (complete func() error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.usage.Keep(ctx, l.counted, l.ledger.Write, func(err error) {
			l.log.Error("the usage ledger cannot be written: it is tried again", "error", err)
		})
	}()
	return func() error {
		stop()
		<-done
		return l.ledger.Close()
	}
}
