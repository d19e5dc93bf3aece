package vault

import (
	"context"
	"fmt"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
)

// Vault is a store and the master key that opens it. It is safe for concurrent use,
// also beside other Vaults on the same store.
type Vault struct {
	Store  keys.Store
	Master envelope.Key
	KDF    *envelope.KDF    // how Master was made from a passphrase; nil: it was not
	Now    func() time.Time // the clock of the records
}

// View reads the store. It refuses one that is sealed under another master key, or
// being re-sealed. Errors: keys.ErrDamaged, keys.ErrResealing, envelope.ErrOtherKey,
// those of the store.
func (v *Vault) View(ctx context.Context) (*View, error) {
	snap, err := v.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	sealed, err := CheckSeal(snap, v.Master)
	if err != nil {
		return nil, err
	}
	return &View{Snapshot: snap, Master: v.Master, Now: v.now(), sealed: sealed}, nil
}

// now is the clock in the records' precision.
func (v *Vault) now() time.Time { return v.Now().UTC().Truncate(time.Second) }
