package wire

import (
	"context"
	"errors"
	"fmt"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/reseal"
)

// SealStatus is what seals a store.
type SealStatus struct {
	Seal  keys.SealRecord // zero: the store holds nothing
	Under map[string]int  // how many records, by the id of their master key
}

// ReadSealStatus tells what seals the store that a config describes. It wants
// the config's master key to be the one, unless the store is being re-sealed:
// then no single key is.
func ReadSealStatus(ctx context.Context, c config.Config, w World) (SealStatus, error) {
	if _, err := OpenVault(ctx, c, w, ToRead); err != nil && !errors.Is(err, keys.ErrResealing) {
		return SealStatus{}, err
	}
	store, err := openBackend(c, ToRead)
	if err != nil {
		return SealStatus{}, err
	}
	snap, err := store.Load(ctx)
	if err != nil {
		return SealStatus{}, fmt.Errorf("opening the store: %w", err)
	}
	var s SealStatus
	if s.Seal, _, err = keys.ReadSeal(snap); err != nil {
		return s, err
	}
	s.Under, err = reseal.SealedUnder(snap)
	return s, err
}
