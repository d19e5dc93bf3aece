// Package wire builds the parts of kmproxy from a config. It is the only place
// that knows which stores, certificate sources and drivers there are.
package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/proxy"
)

// ErrNoStore reports that there is no store where the config points.
var ErrNoStore = errors.New("there is no store")

// World is what the parts get from the process.
type World struct {
	Getenv   func(string) string
	Now      func() time.Time
	LogDrops func() uint64 // lines of the log that were dropped so far; nil: none ever are
}

func (w World) logDrops() uint64 {
	if w.LogDrops == nil {
		return 0
	}
	return w.LogDrops()
}

// Intent says what a store is opened for. The zero value is invalid.
type Intent uint8

// The intents.
const (
	ToRead  Intent = iota + 1 // nothing is created
	ToWrite                   // a store that holds nothing gets its folder and its master key
)

// Vault is a store and the master key that seals it.
type Vault struct {
	Store  keys.Backend
	Master envelope.Key
	kdf    *envelope.KDF // nil: the key is not made from a passphrase
}

// OpenVault opens the store and finds the master key that it wants.
func OpenVault(ctx context.Context, c config.Config, w World, to Intent) (Vault, error) {
	store, err := openBackend(c, to)
	if err != nil {
		return Vault{}, err
	}
	if to == ToRead && !store.Exists(ctx) {
		return Vault{}, fmt.Errorf("%w at %s", ErrNoStore, c.Store.Dir)
	}
	return unlock(ctx, store, c, w, to)
}

// unlock finds the master key that a store wants.
func unlock(ctx context.Context, store keys.Backend, c config.Config, w World, to Intent) (Vault, error) {
	snap, err := store.Load(ctx)
	if err != nil {
		return Vault{}, fmt.Errorf("opening the store: %w", err)
	}
	seal, sealed, err := keys.ReadSeal(snap)
	if err != nil {
		return Vault{}, fmt.Errorf("opening the store: %w", err)
	}
	if err := seal.Resealing(); err != nil {
		return Vault{}, err
	}
	v := Vault{Store: store, kdf: seal.KDF}
	if !sealed && to == ToRead {
		// nothing is sealed yet: any key opens it, and none is kept
		v.Master, err = envelope.FromKeyFile(envelope.NewKeyFile())
		return v, err
	}
	if !sealed && c.MasterKey.Source.Kind != config.SourceFile {
		fresh := envelope.NewKDF()
		v.kdf = &fresh
	}
	v.Master, err = masterKey(c.MasterKey.Source, w, v.kdf, !sealed)
	if err != nil {
		return Vault{}, err
	}
	if sealed && v.Master.ID() != seal.KeyID {
		return Vault{}, fmt.Errorf("master_key.source %s: %w: the store wants the key %s, this is %s",
			c.MasterKey.Source, envelope.ErrOtherKey, seal.KeyID, v.Master.ID())
	}
	return v, nil
}

// Manager is the one who changes the vault's projects and keys.
func (v Vault) Manager(ctx context.Context, c config.Config, w World) (*manage.Manager, error) {
	return manage.New(ctx, manage.Config{Store: v.Store, Master: v.Master, KDF: v.kdf,
		MaxPerProject: c.Keys.MaxPerProject, Now: w.Now, Quiet: c.Keys.Quiet, Prove: proxy.Prove, Usage: v.Store.Uses})
}
