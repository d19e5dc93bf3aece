package keys

import (
	"encoding/json"
	"fmt"
	"time"

	"kmproxy/crypto/envelope"
)

const sealName = "seal"

// SealRecord says which master key seals a store, and how to make it from a
// passphrase. It holds no secret.
type SealRecord struct {
	KeyID     string        `json:"key_id"`
	KDF       *envelope.KDF `json:"kdf,omitempty"` // nil: the key is in a file
	CreatedAt time.Time     `json:"created_at"`
}

// ReadSeal finds the store's seal record. A store that holds nothing has none
// yet. Its error is ErrDamaged.
func ReadSeal(s Snapshot) (SealRecord, bool, error) {
	entry, ok := s.Entries[sealName]
	if !ok {
		if len(s.Entries) > 0 {
			return SealRecord{}, false, fmt.Errorf("record %s: %w: it is missing", sealName, ErrDamaged)
		}
		return SealRecord{}, false, nil
	}
	var r SealRecord
	if err := json.Unmarshal(entry.Value, &r); err != nil || !isMasterID(r.KeyID) {
		return SealRecord{}, false, fmt.Errorf("record %s: %w: it is not readable", sealName, ErrDamaged)
	}
	return r, true, nil
}

// checkSeal refuses a master key that is not the one the store is sealed under.
func checkSeal(s Snapshot, master envelope.Key) (present bool, err error) {
	r, ok, err := ReadSeal(s)
	if err != nil || !ok {
		return false, err
	}
	if r.KeyID != master.ID() {
		return true, fmt.Errorf("the store is %w: it wants %s, the configured one is %s",
			envelope.ErrOtherKey, r.KeyID, master.ID())
	}
	return true, nil
}

// isMasterID keeps what anybody may have written into the record, which nothing
// authenticates, out of errors and terminals.
func isMasterID(id string) bool { return len(id) == 16 && all(id, isHex) }
