package ring

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// slow is how long reading the store may take before that is a trouble.
const slow = 3 * time.Second

// ErrSlow reports that reading the store takes long, perhaps for ever: a network or
// a file system below it does not answer. It is still waited for.
var ErrSlow = errors.New("the store does not answer")

// reading is one read of the store. Its result may be looked at when done is closed.
type reading struct {
	began time.Time
	done  chan struct{}
	next  *served
	err   error
}

func (l *Live) begin(ctx context.Context) *reading {
	r := &reading{began: time.Now(), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.next, r.err = l.read(ctx)
	}()
	return r
}

// update reads the store, takes what it holds, and tells what became of it and how
// long that took. It reports false when ctx ended: that says nothing of the store.
func (l *Live) update(ctx context.Context, tell *telling) (took time.Duration, ok bool) {
	r := l.begin(ctx)
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-clock.C:
			l.tellSlow(r, tell)
		case <-r.done:
			if ctx.Err() == nil {
				tell.of(l.take(r.next, r.err))
				return time.Since(r.began), true
			}
		}
	}
	return 0, false
}

func (l *Live) tellSlow(r *reading, tell *telling) {
	if took := time.Since(r.began); took >= slow {
		err := fmt.Errorf("%w: reading it has taken %d s so far: look at the disk or network that it is on", ErrSlow, int(took.Seconds()))
		l.fail(err, r.began)
		tell.of(err)
	}
}
