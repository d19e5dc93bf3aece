package wire

import (
	"context"
	"errors"
	"log/slog"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/proxy/listen"
)

// keyring is an open store and the keys in it, as they are followed.
type keyring struct {
	source config.Source
	vault  Vault
	live   *keys.Live
	ca     *listen.LocalCA // nil until it is wanted
	end    context.CancelFunc
}

// openKeyring reads all keys and follows them until end is called, whatever
// becomes of ctx.
func openKeyring(ctx context.Context, c config.Config, w World, log *slog.Logger) (*keyring, error) {
	vault, err := OpenVault(ctx, c, w, ToWrite)
	if err != nil {
		return nil, err
	}
	k := &keyring{source: c.MasterKey.Source, vault: vault}
	if c.TLS.Mode == config.TLSLocal { // first, because it may have to be made
		if _, err := k.localCA(ctx, c, w); err != nil {
			return nil, err
		}
	}
	if k.live, err = keys.Open(ctx, vault.Store, vault.Master); err != nil {
		return nil, err
	}
	follow, end := context.WithCancel(context.WithoutCancel(ctx))
	k.end = end
	go k.live.Follow(follow, func(err error) { tellKeys(log, err) })
	return k, nil
}

// serves tells whether the keyring is what a config wants: it names the same
// master key, and that is still the store's.
func (k *keyring) serves(c config.Config) bool {
	return k.source == c.MasterKey.Source && !errors.Is(k.live.Err(), keys.ErrResealed)
}

func tellKeys(log *slog.Logger, err error) {
	if errors.Is(err, keys.ErrResealed) {
		log.Warn("the store gets another master key", "what", err)
		return
	}
	log.Error("the keys cannot be brought up to date: the ones before stay in use", "error", err)
}
