package proxy

import (
	"context"
	"errors"

	"kmproxy/keys"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/queue"
)

// privately does work that uses a private key. More of that at once than there
// are cores only makes each of them slower, so it waits for a place. It is
// refused when none comes free in time.
func (p *Proxy) privately(ctx context.Context, project keys.ASPID, work func()) error {
	leave, err := p.c.Queue.Enter(ctx, project)
	switch {
	case errors.Is(err, queue.ErrFull):
		return err
	case err != nil:
		return kona.Refuse(kona.ClientGone, "while waiting for a private-key operation")
	}
	defer leave()
	work()
	return nil
}
