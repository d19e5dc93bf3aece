package envelope

import (
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"

	"kmproxy/crypto/sensitive"
)

// minPassphrase is the shortest accepted passphrase, in bytes.
const minPassphrase = 12

// ErrPassphrase reports a passphrase that is too short.
var ErrPassphrase = errors.New("the passphrase is shorter than 12 bytes")

// KDF has the parameters with which Argon2id (RFC 9106) derives a master key from a
// passphrase. It is not secret, and is stored with what it sealed.
type KDF struct {
	Salt      []byte `json:"salt"`
	Passes    uint32 `json:"passes"`
	MemoryKiB uint32 `json:"memory_kib"`
	Lanes     uint8  `json:"lanes"`
}

// NewKDF returns a fresh salt with the second set of parameters that RFC 9106 §4
// recommends, which is for machines without 2 GiB to spare: 64 MiB, 3 passes, 4 lanes.
func NewKDF() KDF {
	salt := make([]byte, minSalt)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	return KDF{Salt: salt, Passes: minPasses, MemoryKiB: minMemoryKiB, Lanes: 4}
}

// Derive derives the master key. It uses MemoryKiB of memory while it runs. Errors are
// [ErrPassphrase], or that the parameters are out of bounds.
func (k KDF) Derive(passphrase sensitive.Bytes) (Key, error) {
	if passphrase.Len() < minPassphrase {
		return Key{}, ErrPassphrase
	}
	if err := k.check(); err != nil {
		return Key{}, err
	}
	secret := argon2.IDKey(passphrase.Expose(), k.Salt, k.Passes, k.MemoryKiB, k.Lanes, keyBytes)
	defer clear(secret)
	return newKey(secret)
}

// The accepted parameters: at least the cost that NewKDF chooses, and not so much that
// it keeps a machine busy for minutes or uses up its memory.
const (
	minSalt, maxSalt           = 16, 64
	minPasses, maxPasses       = 3, 16
	minMemoryKiB, maxMemoryKiB = 64 << 10, 1 << 20
	minLanes, maxLanes         = 1, 16
)

func (k KDF) check() error {
	if len(k.Salt) < minSalt || len(k.Salt) > maxSalt || k.Passes < minPasses || k.Passes > maxPasses ||
		k.MemoryKiB < minMemoryKiB || k.MemoryKiB > maxMemoryKiB || k.Lanes < minLanes || k.Lanes > maxLanes {
		return fmt.Errorf("the store's Argon2id parameters are outside what kmproxy accepts: "+
			"a salt of %d bytes, %d passes, %d KiB, %d lanes", len(k.Salt), k.Passes, k.MemoryKiB, k.Lanes)
	}
	return nil
}
