package vault

import (
	"fmt"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
)

// CheckSeal refuses a store that is being re-sealed, and a master key that is not
// the one that the store is sealed under. It reports whether the store has a seal
// record: one that holds nothing has none yet.
func CheckSeal(s keys.Snapshot, master envelope.Key) (present bool, err error) {
	r, ok, err := keys.ReadSeal(s)
	if err != nil || !ok {
		return false, err
	}
	if err := r.Resealing(); err != nil {
		return true, err
	}
	if r.KeyID != master.ID() {
		return true, fmt.Errorf("the store is %w: it wants %s, the configured one is %s",
			envelope.ErrOtherKey, r.KeyID, master.ID())
	}
	return true, nil
}
