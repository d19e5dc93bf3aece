// Package audit is the record of every change: who did what to what, and which
// records came of it. Entries are chained by a MAC under a key that is sealed in
// the store, so that whoever edits the store without the master key can take no
// entry out, put none in and change none unnoticed.
//
// It cannot tell that a whole store was put back to an earlier time: for that,
// keep the number of the last entry somewhere else.
package audit

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys/internal/cores"
)

// ErrBroken reports a chain that does not hold.
var ErrBroken = errors.New("the audit record was tampered with")

// KeyBytes is the length of a chain's key, in bytes.
const KeyBytes = 32

// Key makes and checks chains. It prints as "[redacted]". It is safe for
// concurrent use.
type Key struct{ secret sensitive.Bytes }

// Format keeps the key out of every verb.
func (k Key) Format(f fmt.State, verb rune) { k.secret.Format(f, verb) }

// NewKey makes a key for a new chain.
func NewKey() Key {
	secret := make([]byte, KeyBytes)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program first
	return Key{sensitive.New(secret)}
}

// ReadKey takes a key from its bytes.
func ReadKey(secret sensitive.Bytes) (Key, error) {
	if secret.Len() != KeyBytes {
		return Key{}, fmt.Errorf("an audit key has %d bytes, not %d", KeyBytes, secret.Len())
	}
	return Key{secret}, nil
}

// Secret is the key's bytes, to be sealed.
func (k Key) Secret() sensitive.Bytes { return k.secret }

// Entry is one change.
type Entry struct {
	Seq    uint64          `json:"seq"` // 1 is the first
	Time   time.Time       `json:"time"`
	Actor  string          `json:"actor"`
	Action string          `json:"action"`
	Target string          `json:"target"`
	Before json.RawMessage `json:"before,omitempty"` // without secrets
	After  json.RawMessage `json:"after,omitempty"`
	// Wrote has the SHA-256 of every record that the change wrote, in hex; empty
	// for one it deleted.
	Wrote map[string]string `json:"wrote"`
	Chain string            `json:"chain"` // MAC over the chain before and this entry
}

// Digest is how Wrote names a value.
func Digest(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}

// Link sets the number and the chain of an entry that follows last; a nil last
// makes it the first.
func (k Key) Link(last *Entry, e Entry) (Entry, error) {
	before := ""
	e.Seq = 1
	if last != nil {
		before, e.Seq = last.Chain, last.Seq+1
	}
	var err error
	e.Chain, err = k.chain(before, e)
	return e, err
}

// chain is the MAC of an entry behind the chain before it. Lengths go first, so
// that no two entries differ in meaning and agree in bytes.
func (k Key) chain(before string, e Entry) (string, error) {
	e.Chain = ""
	text, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encoding an audit entry: %w", err)
	}
	mac := hmac.New(sha256.New, k.secret.Expose())
	for _, part := range [][]byte{[]byte("kmproxy audit 1"), []byte(before), text} {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		mac.Write(part)
	}
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// VerifyAfter checks the entries that follow last, which was verified before; after a
// nil last they are a whole chain, from the first entry on. Its error is ErrBroken and
// names the first entry that is missing, edited or out of place.
func (k Key) VerifyAfter(last *Entry, entries []Entry) error {
	failed := make([]error, len(entries))
	cores.Each(len(entries), func(i int) { // each wants only what the one before claims to be
		var before Entry
		switch {
		case i > 0:
			before = entries[i-1]
		case last != nil:
			before = *last
		}
		failed[i] = k.follows(before, entries[i])
	})
	return cmp.Or(failed...)
}

// follows checks that e is genuine and stands behind that entry.
func (k Key) follows(before, e Entry) error {
	if want := before.Seq + 1; e.Seq != want {
		return fmt.Errorf("%w: entry %d is missing or out of place: entry %d stands there", ErrBroken, want, e.Seq)
	}
	chain, err := k.chain(before.Chain, e)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(chain), []byte(e.Chain)) {
		return fmt.Errorf("%w: entry %d (%s %s) is not the one that was written, or not behind entry %d",
			ErrBroken, e.Seq, e.Action, e.Target, before.Seq)
	}
	return nil
}
