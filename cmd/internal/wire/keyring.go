package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys/ring"
	"kmproxy/proxy/listen"
)

// keyring is an open store and the keys in it, as they are followed.
type keyring struct {
	source config.Source
	vault  Vault
	live   *ring.Live
	ca     *listen.LocalCA // nil until it is wanted
	end    context.CancelFunc
}

// openKeyring reads all keys and follows them until end is called, whatever
// becomes of ctx. A keyring that takes the place of another goes on from it, and
// changes nothing in the store; before is nil at the start.
func openKeyring(ctx context.Context, c config.Config, w World, before *keyring, log *slog.Logger) (*keyring, error) {
	k := &keyring{source: c.MasterKey.Source}
	open := k.create
	if before != nil {
		open = func(ctx context.Context, c config.Config, w World) error { return k.succeed(ctx, c, w, before) }
	}
	if err := open(ctx, c, w); err != nil {
		return nil, err
	}
	follow, end := context.WithCancel(context.WithoutCancel(ctx))
	k.end = end
	go k.live.Follow(follow, func(err error) { tellKeys(log, err) })
	return k, nil
}

// create opens the store as it is found, and makes what is not there.
func (k *keyring) create(ctx context.Context, c config.Config, w World) (err error) {
	if k.vault, err = OpenVault(ctx, c, w, ToWrite); err != nil {
		return err
	}
	if c.TLS.Mode == config.TLSLocal { // first, because it may have to be made
		if _, err := k.localCA(ctx, c, w); err != nil {
			return err
		}
	}
	k.live, err = ring.Open(ctx, k.vault.Store, k.vault.Master)
	return err
}

// succeed opens a store that another keyring follows.
func (k *keyring) succeed(ctx context.Context, c config.Config, w World, before *keyring) (err error) {
	if k.vault, err = OpenVault(ctx, c, w, ToRead); err != nil {
		return err
	}
	k.live, err = ring.Reopen(ctx, k.vault.Store, k.vault.Master, before.live)
	return err
}

// serves tells whether the keyring is what a config wants: it names the same
// master key, and that is still the store's.
func (k *keyring) serves(c config.Config) bool {
	return k.source == c.MasterKey.Source && !errors.Is(k.live.Err(), ring.ErrResealed)
}

func tellKeys(log *slog.Logger, err error) {
	switch {
	case err == nil:
		log.Info("the store is followed again")
	case errors.Is(err, ring.ErrResealed):
		log.Warn("the store gets another master key", "what", err)
	default:
		log.Error("the store cannot be followed: the keys in use stay in use", "error", err)
	}
}

// maxNote bounds what of an error stands in a line of /readyz, in bytes.
const maxNote = 400

// note is the line of /readyz about a store that is not followed; else empty.
func (k *keyring) note(c config.Config) string {
	t := k.live.Trouble()
	if t.Err == nil {
		return ""
	}
	reason := strings.Join(strings.Fields(strings.ToValidUTF8(t.Err.Error(), "?")), " ")
	if len(reason) > maxNote {
		reason = strings.ToValidUTF8(reason[:maxNote], "") + "…"
	}
	return fmt.Sprintf("the store %s is not followed since %s, and the keys of revision %d stay in use: %s",
		c.Store, t.Since.UTC().Format(time.RFC3339), k.live.Ring().Revision(), reason)
}

// stale is for how long the store has not been followed; 0 if it is.
func (k *keyring) stale() time.Duration {
	t := k.live.Trouble()
	if t.Err == nil {
		return 0
	}
	return max(0, time.Since(t.Since))
}

// tooStale reports whether what is served is older than store.max_stale allows.
func (k *keyring) tooStale(c config.Config) bool {
	return c.Store.MaxStale > 0 && k.stale() > c.Store.MaxStale
}
