package ring

import (
	"bytes"
	"sync"
	"sync/atomic"

	"kmproxy/crypto/envelope"
	"kmproxy/keys/internal/vault"
)

// lazySecrets opens a record's sealed part when a request first needs it, so
// that a hundred thousand keys do not lie open in memory because ten are used.
type lazySecrets struct {
	name   string
	value  atomic.Pointer[[]byte] // the store's own copy of the record: see isOf
	master envelope.Key

	once sync.Once
	open vault.Secrets
	err  error
}

func newLazySecrets(name string, value []byte, master envelope.Key) *lazySecrets {
	l := &lazySecrets{name: name, master: master}
	l.value.Store(&value)
	return l
}

// isOf reports whether the record still has that value, byte for byte. If so it goes
// on with this copy of it: a store that reads everything anew can let go of what
// it read before, and no second copy of each record is kept.
func (l *lazySecrets) isOf(value []byte) bool {
	mine := *l.value.Load()
	if !bytes.Equal(mine, value) {
		return false
	}
	if &mine[0] != &value[0] { // neither is empty: mine was opened
		l.value.Store(&value)
	}
	return true
}

func (l *lazySecrets) get() (vault.Secrets, error) {
	l.once.Do(func() { l.open, l.err = vault.OpenSecrets(l.master, l.name, *l.value.Load()) })
	return l.open, l.err
}
