package usage

import (
	"context"
	"slices"
	"time"

	"kmproxy/keys"
)

// interval is how often what was counted is written down: a ledger is never
// further behind than this and the time of one write.
const interval = time.Second

// Keep writes down what c counts, on top of what was counted before, whenever it
// changed, until ctx ends; then once more, so that nothing is missing. It does so
// again when lost reports that what was written is not there any more. What
// cannot be written is tried again, and reported once until it can; and at the end.
func (c *Counter) Keep(ctx context.Context, before []keys.Use, write func([]keys.Use) error, lost func() bool, report func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var written []keys.Use
	failing := false
	for last := false; !last; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			last = true
		}
		uses := c.uses()
		if slices.Equal(uses, written) && !lost() {
			continue
		}
		if err := write(Sum(before, uses)); err != nil {
			if !failing || last {
				report(err)
			}
			failing = true
			continue
		}
		written, failing = uses, false
	}
}
