package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kmproxy/crypto/envelope"
)

// SealName is the name of the record that says what seals a store.
const SealName = "seal"

// ErrResealing reports a store in the middle of being re-sealed under another
// master key: some of its records are sealed under the one, some under the other.
var ErrResealing = errors.New("the store is being re-sealed under another master key")

// SealRecord says which master key seals a store, and how to make it from a
// passphrase. It holds no secret.
type SealRecord struct {
	KeyID     string        `json:"key_id"`
	KDF       *envelope.KDF `json:"kdf,omitempty"` // nil: the key is in a file
	CreatedAt time.Time     `json:"created_at"`
	Next      *NextSeal     `json:"next,omitempty"` // nil: it is not being re-sealed
}

// NextSeal is the master key that a store is being re-sealed under.
type NextSeal struct {
	KeyID string        `json:"key_id"`
	KDF   *envelope.KDF `json:"kdf,omitempty"`
}

// ReadSeal finds the store's seal record. A store that holds nothing has none
// yet. Its error is ErrDamaged.
func ReadSeal(s Snapshot) (SealRecord, bool, error) {
	entry, ok := s.Entries[SealName]
	if !ok {
		if len(s.Entries) > 0 {
			return SealRecord{}, false, fmt.Errorf("record %s: %w: it is missing", SealName, ErrDamaged)
		}
		return SealRecord{}, false, nil
	}
	var r SealRecord
	err := json.Unmarshal(entry.Value, &r)
	if err != nil || !isMasterID(r.KeyID) || r.Next != nil && !isMasterID(r.Next.KeyID) {
		return SealRecord{}, false, fmt.Errorf("record %s: %w: it is not readable", SealName, ErrDamaged)
	}
	return r, true, nil
}

// Resealing is an ErrResealing if the store is being re-sealed, else nil.
func (r SealRecord) Resealing() error {
	if r.Next == nil {
		return nil
	}
	return fmt.Errorf("%w, from %s to %s: finish that first: kmproxy seal rotate, as it was begun", ErrResealing, r.KeyID, r.Next.KeyID)
}

// isMasterID keeps what anybody may have written into the record, which nothing
// authenticates, out of errors and terminals.
func isMasterID(id string) bool { return len(id) == 16 && all(id, isHex) }
