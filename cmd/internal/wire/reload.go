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
	for _, f := range fixed(before.config, c) {
		if f.is != f.wants {
			return fmt.Errorf("%s is %s and cannot become %s while kmproxy runs: restart it", f.key, f.is, f.wants)
		}
	}
	if err := g.keepReplay(c); err != nil {
		return err
	}
	ring := before.keys
	if !ring.serves(c) {
		var err error
		if ring, err = openKeyring(ctx, c, g.world, ring, g.log); err != nil {
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

// fixture is a setting that only a restart changes.
type fixture struct{ key, is, wants string }

func fixed(is, wants config.Config) []fixture {
	all := []fixture{
		{"listen.address", is.Listen.Address, wants.Listen.Address},
		{"admin.address", is.Admin.Address, wants.Admin.Address},
		{"tls.client_ca_file", is.TLS.ClientCAFile, wants.TLS.ClientCAFile},
		{"store.url", is.Store.String(), wants.Store.String()},
		{"upstream.timeout", is.Upstream.Timeout.String(), wants.Upstream.Timeout.String()},
		{"limits", fmt.Sprint(is.Limits), fmt.Sprint(wants.Limits)},
	}
	if is.TLS.Mode == config.TLSACME || wants.TLS.Mode == config.TLSACME { // it has listeners and certificates of its own
		all = append(all,
			fixture{"tls.mode", is.TLS.Mode.String(), wants.TLS.Mode.String()},
			fixture{"tls.hostnames", fmt.Sprint(is.TLS.Hostnames), fmt.Sprint(wants.TLS.Hostnames)},
			fixture{"tls.acme", fmt.Sprintf("%+v", is.TLS.ACME), fmt.Sprintf("%+v", wants.TLS.ACME)})
	}
	return all
}
