package proxy

import (
	"context"
	"time"
)

// pool bounds how many private-key operations run at once: more than there are
// cores only makes each of them slower.
type pool struct {
	places chan struct{}
	wait   time.Duration // at most, for a place
}

func newPool(width int, wait time.Duration) pool {
	return pool{places: make(chan struct{}, width), wait: wait}
}

// run does work in a place of the pool. It is refused when none comes free in time.
func (p pool) run(ctx context.Context, work func()) error {
	select {
	case p.places <- struct{}{}:
	default:
		if err := p.queue(ctx); err != nil {
			return err
		}
	}
	defer func() { <-p.places }()
	work()
	return nil
}

func (p pool) queue(ctx context.Context) error {
	timer := time.NewTimer(p.wait)
	defer timer.Stop()
	select {
	case p.places <- struct{}{}:
		return nil
	case <-timer.C:
		return refuse(overloaded, "no place for a private-key operation came free in time")
	case <-ctx.Done():
		return refuse(clientGone, "while waiting for a private-key operation")
	}
}
