package keys

import (
	"bytes"
	"sync"
	"sync/atomic"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// lazySecrets opens a record's sealed part when a request first needs it, so
// that a hundred thousand keys do not lie open in memory because ten are used.
type lazySecrets struct {
	name   string
	value  atomic.Pointer[[]byte] // the store's own copy of the record: see isOf
	master envelope.Key

	once sync.Once
	open openSecrets
	err  error
}

type openSecrets struct {
	credential map[AccessKey]sensitive.Bytes
	private    map[KeyID]sensitive.Bytes
}

func newLazySecrets(name string, value []byte, master envelope.Key) *lazySecrets {
	l := &lazySecrets{name: name, master: master}
	l.value.Store(&value)
	return l
}

// isOf tells whether the record still has that value, byte for byte. If so it goes
// on with this copy of it: a store that reads everything anew can let go of what
// it read before, and nobody keeps a second copy of each record.
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

func (l *lazySecrets) get() (openSecrets, error) {
	l.once.Do(func() { l.open, l.err = l.read() })
	return l.open, l.err
}

func (l *lazySecrets) read() (openSecrets, error) {
	r, _, err := readRecord(l.name, *l.value.Load())
	if err != nil {
		return openSecrets{}, err
	}
	hidden, err := r.open(l.master, l.name)
	if err != nil {
		return openSecrets{}, err
	}
	defer hidden.Wipe()
	s, err := readSecrets(l.name, hidden)
	if err != nil {
		return openSecrets{}, err
	}
	out := openSecrets{map[AccessKey]sensitive.Bytes{}, map[KeyID]sensitive.Bytes{}}
	for k, b := range s.SecretKeys {
		out.credential[k] = sensitive.New(b)
	}
	for k, b := range s.PrivateKeys {
		out.private[k] = sensitive.New(b)
	}
	return out, nil
}
