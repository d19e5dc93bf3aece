package envelope

import (
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"

	"kmproxy/crypto/sensitive"
)

// MinPassphrase is the shortest accepted passphrase, in bytes.
const MinPassphrase = 12

// ErrPassphrase reports a passphrase that is too short.
var ErrPassphrase = errors.New("the passphrase is shorter than 12 bytes")

// KDF says how a master key is made from a passphrase by Argon2id (RFC 9106). It
// is no secret and is kept beside what it sealed.
type KDF struct {
	Salt      []byte `json:"salt"`
	Passes    uint32 `json:"passes"`
	MemoryKiB uint32 `json:"memory_kib"`
	Lanes     uint8  `json:"lanes"`
}

// NewKDF chooses a fresh salt and the parameters that RFC 9106 §4 recommends
// second, for machines without 2 GiB to spare: 64 MiB, 3 passes, 4 lanes.
func NewKDF() KDF {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program first
	return KDF{Salt: salt, Passes: 3, MemoryKiB: 64 << 10, Lanes: 4}
}

// Derive makes the master key. It costs MemoryKiB of memory for a moment.
func (k KDF) Derive(passphrase sensitive.Bytes) (Key, error) {
	if passphrase.Len() < MinPassphrase {
		return Key{}, ErrPassphrase
	}
	if err := k.check(); err != nil {
		return Key{}, err
	}
	secret := argon2.IDKey(passphrase.Expose(), k.Salt, k.Passes, k.MemoryKiB, k.Lanes, 32)
	defer clear(secret)
	return newKey(secret)
}

// check bounds what a store may ask for: nothing weaker than what we write, and
// nothing that would take the machine down.
func (k KDF) check() error {
	if len(k.Salt) < 16 || k.Passes < 3 || k.Passes > 100 ||
		k.MemoryKiB < 64<<10 || k.MemoryKiB > 4<<20 || k.Lanes < 1 || k.Lanes > 64 {
		return fmt.Errorf("the store's Argon2id parameters are outside what kmproxy writes: %d passes, %d KiB, %d lanes",
			k.Passes, k.MemoryKiB, k.Lanes)
	}
	return nil
}
