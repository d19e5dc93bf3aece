package wire

import (
	"context"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys/ring"
	"kmproxy/proxy/cek"
)

// sweepTime is how long a content key may be remembered whose crypto key is no longer
// usable. Nobody can use it meanwhile.
const sweepTime = 200 * time.Millisecond

// newContentKeys is the memory for content keys; nil unless it is switched on.
func newContentKeys(c config.CEKCache) *cek.Cache {
	if !c.Enabled {
		return nil
	}
	return cek.New(cek.Limits{Entries: c.Entries, MaxAge: c.MaxAge, MaxMessages: int64(c.MaxMessages), MaxBytes: c.MaxBytes})
}

// sweep forgets what must not be remembered any more until ctx ends, and then the rest.
func (l *lasting) sweep(ctx context.Context, c *cek.Cache, live *ring.Live) {
	defer c.Close()
	ticker := time.NewTicker(sweepTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now, ring := l.world.Now(), live.Ring()
			c.Sweep(now, func(o cek.Owner) bool { return ring.Usable(o.Project, o.Key, now) })
		}
	}
}
