package wire

import (
	"context"
	"fmt"

	"kmproxy/cmd/internal/config"
)

// Reload serves by another config from now on; requests that were begun finish
// by the one before. What cannot change while running is refused, and then the
// config before stays as a whole.
func (g *Gateway) Reload(ctx context.Context, c config.Config) error {
	before := g.current.Load()
	for _, fixed := range []struct{ key, is, wants string }{
		{"listen.address", before.config.Listen.Address, c.Listen.Address},
		{"admin.address", before.config.Admin.Address, c.Admin.Address},
		{"tls.client_ca_file", before.config.TLS.ClientCAFile, c.TLS.ClientCAFile},
		{"store.url", before.config.Store.String(), c.Store.String()},
		{"upstream.timeout", before.config.Upstream.Timeout.String(), c.Upstream.Timeout.String()},
		{"limits", fmt.Sprint(before.config.Limits), fmt.Sprint(c.Limits)},
	} {
		if fixed.is != fixed.wants {
			return fmt.Errorf("%s is %s and cannot become %s while kmproxy runs: restart it", fixed.key, fixed.is, fixed.wants)
		}
	}
	ring := before.keys
	if !ring.serves(c) {
		var err error
		if ring, err = openKeyring(ctx, c, g.world, g.log); err != nil {
			return err
		}
	}
	next, err := g.prepare(ctx, c, ring)
	if err != nil {
		if ring != before.keys {
			ring.end()
		}
		return err
	}
	g.current.Store(next)
	before.end()
	if ring != before.keys {
		before.keys.end()
	}
	return nil
}
