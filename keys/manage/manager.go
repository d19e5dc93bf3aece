// Package manage makes every change to projects and their keys.
//
// A program opens a [Manager] with [New] and keeps it. Each method that changes something
// takes the [keys.Actor] that asked for it and makes one commit, with an entry in the
// audit record: the change happened as a whole, or not at all.
//
//   - A provider begins with [Manager.CreateProject] and [Manager.CreateKey]. Its first
//     key is active at once.
//   - [Manager.RotateKey] replaces the active key in one step. To hand the new key out
//     first, call CreateKey, and [Manager.PromoteKey] later.
//   - A key that was exposed is taken out of use by [Manager.SuspendKey], and destroyed
//     by [Manager.DiscardKey]. Only the former can be taken back.
//   - [Manager.ImportKey] adopts a key that is in use elsewhere.
//
// What serves requests reads the store with package ring instead, which cannot write.
package manage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// Config is what a Manager works with.
type Config struct {
	Store         keys.Store       // required
	Master        envelope.Key     // required
	KDF           *envelope.KDF    // how Master was made from a passphrase; nil: it was not
	MaxPerProject int              // keys a project that are not discarded; at least 1
	Now           func() time.Time // nil: time.Now
	Quiet         time.Duration    // a key that was used within it is not discarded
	// Prove opens and seals with a key by the code that requests use. Without it no
	// key can be promoted.
	Prove func(server jwk.Private, client jwk.Public) error
	// Usage tells who used which key. nil: nobody did.
	Usage func(context.Context) ([]keys.Use, error)
}

// Manager makes every change to projects and keys. Each act is one commit: it
// happened, and lasts, or it did not. It is safe for concurrent use, also beside
// other Managers on the same store.
//
// All acts can fail with ErrDamaged, with envelope.ErrOtherKey, and with the
// store's own errors; after one of those in writing, the store tells what is so.
type Manager struct {
	c     Config
	vault *vault.Vault
}

// New checks that the store, if it holds anything, is sealed under this
// master key.
func New(ctx context.Context, c Config) (*Manager, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("a manager of keys needs a store")
	case c.Master.ID() == "":
		return nil, errors.New("a manager of keys needs a master key")
	case c.MaxPerProject < 1:
		return nil, errors.New("at least one key a project must be allowed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Usage == nil {
		c.Usage = func(context.Context) ([]keys.Use, error) { return nil, nil }
	}
	snap, err := c.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if _, err := vault.CheckSeal(snap, c.Master); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return &Manager{c, &vault.Vault{Store: c.Store, Master: c.Master, KDF: c.KDF, Now: c.Now}}, nil
}

func act(who keys.Actor, action, target string) vault.Act {
	return vault.Act{Actor: who, Action: action, Target: target}
}

// now is the clock in the records' precision.
func (m *Manager) now() time.Time { return m.c.Now().UTC().Truncate(time.Second) }
