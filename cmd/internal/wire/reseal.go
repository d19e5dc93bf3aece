package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"kmproxy/cmd/internal/config"
	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/reseal"
)

// OpenReseal prepares to seal the store that a config describes under the master
// key of another source. A key file that is not there is made, durably, once it
// is known that the present master key is at hand; but not for a re-sealing that
// is under way, whose key it cannot be. Nothing else is changed.
func OpenReseal(ctx context.Context, c config.Config, w World, to config.Source) (reseal.Job, error) {
	store, err := openBackend(c, ToRead)
	if err != nil {
		return reseal.Job{}, err
	}
	r := reseal.Job{Store: store, Now: w.Now}
	seal, err := sealOf(ctx, store)
	if err != nil {
		return r, err
	}
	if r.To, err = finished(seal, w, to); err == nil {
		return r, nil
	}
	if r.From, err = masterKey(c.MasterKey.Source, w, seal.KDF, false); err != nil {
		return r, fmt.Errorf("the master key that seals the store: %w", err)
	}
	if r.From.ID() != seal.KeyID {
		return r, fmt.Errorf("master_key.source %s: %w: the store wants the key %s, this is %s; leave the source as it was until re-sealing is done",
			c.MasterKey.Source, envelope.ErrOtherKey, seal.KeyID, r.From.ID())
	}
	r.To, r.KDF, err = nextKey(seal, w, to)
	return r, err
}

// sealOf is the seal record of a store that holds something.
func sealOf(ctx context.Context, store keys.Store) (keys.SealRecord, error) {
	snap, err := store.Load(ctx)
	if err != nil {
		return keys.SealRecord{}, fmt.Errorf("opening the store: %w", err)
	}
	seal, sealed, err := keys.ReadSeal(snap)
	if err == nil && !sealed {
		err = fmt.Errorf("%w: the store holds nothing yet, and is sealed under what master_key.source names once it does", keys.ErrRefused)
	}
	return seal, err
}

var errNotYet = errors.New("the store is not sealed under it")

// finished is the key of a source if that seals the store already, alone.
func finished(seal keys.SealRecord, w World, to config.Source) (envelope.Key, error) {
	if seal.Next != nil {
		return envelope.Key{}, errNotYet
	}
	key, err := masterKey(to, w, seal.KDF, false)
	if err == nil && key.ID() != seal.KeyID {
		err = errNotYet
	}
	return key, err
}

// nextKey is the key of a source, as the next one of the store.
func nextKey(seal keys.SealRecord, w World, to config.Source) (key envelope.Key, kdf *envelope.KDF, err error) {
	if to.Kind != config.SourceFile {
		fresh := envelope.NewKDF()
		kdf = &fresh
	}
	if seal.Next != nil {
		kdf = seal.Next.KDF
	}
	switch key, err = masterKey(to, w, kdf, seal.Next == nil); {
	case seal.Next == nil, err == nil && key.ID() == seal.Next.KeyID:
		return key, kdf, err
	case err == nil:
		err = fmt.Errorf("this is %s", key.ID())
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w; no other can be made for it", err)
	}
	return key, kdf, fmt.Errorf("%w, with the very same --to: %s: %w", seal.Resealing(), to, err)
}
