package keys

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"

	"kmproxy/crypto/envelope"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

// history is what the audit record says that a store holds, as far as it was
// proven. It is what keeps an old record, which still opens, from being served
// again: a suspended key would be active in it. A history is never changed.
type history struct {
	told
	values map[string][]byte // those of wrote, so that their digests need not be made again
}

// prove goes on from h to the history of what s holds now. A nil h is before the
// first entry; another one must be in s. It wants every entry to be genuine and
// every record to be the one last written.
// Errors: ErrDamaged, audit.ErrBroken.
func (h *history) prove(s Snapshot, master envelope.Key) (*history, error) {
	v := &view{snap: s, master: master}
	if len(s.Entries) == 0 {
		return nil, nil
	}
	key, err := v.auditKey()
	if err != nil {
		return nil, err
	}
	next := h.next()
	if err := next.read(v, key.VerifyAfter); err != nil {
		return nil, err
	}
	if next.broken != nil {
		return nil, next.broken
	}
	return next, next.check(s, h)
}

// next is a copy of what h tells, to be gone on from.
func (h *history) next() *history {
	if h == nil {
		return &history{told: told{wrote: map[string]string{}}}
	}
	return &history{told: told{last: h.last, wrote: maps.Clone(h.wrote)}}
}

// check compares the records of s with what was written, and keeps their values:
// the newer copies, so that the older can go.
func (h *history) check(s Snapshot, before *history) error {
	h.values = make(map[string][]byte, len(h.wrote))
	for name := range h.wrote {
		h.values[name] = s.Entries[name].Value
	}
	return checkWrote(s, h.wrote, func(name string, value []byte, digest string) bool {
		return before.knows(name, value, digest) || hasDigest(value, digest)
	})
}

// knows tells whether that value was found to have that digest.
func (h *history) knows(name string, value []byte, digest string) bool {
	return h != nil && h.wrote[name] == digest && bytes.Equal(h.values[name], value)
}

// fewEntries is how far lastAudited looks back at first.
const fewEntries = 16

// lastAudited wants one record to be what the newest entry about it says, and the
// entries from that one on to be genuine. It looks back ever further at once: a
// record may have rested for a hundred thousand entries. Errors: ErrDamaged,
// audit.ErrBroken.
func (v *view) lastAudited(name string) error {
	key, err := v.auditKey()
	if err != nil {
		return err
	}
	newest, err := v.lastEntry()
	if err != nil {
		return err
	}
	if newest != nil {
		for to, n := newest.Seq, uint64(fewEntries); to > 0; n *= 2 {
			n = min(n, to)
			if told, err := v.toldLast(key, name, to, n); told || err != nil {
				return err
			}
			to -= n
		}
	}
	return fmt.Errorf("%w: record %s was put there by nobody", audit.ErrBroken, name)
}

// toldLast tells whether one of the n entries up to a number wrote a record. The
// newest that did must say what it is, and it and those behind it be genuine; all
// of them, if none did.
func (v *view) toldLast(key audit.Key, name string, to, n uint64) (told bool, err error) {
	list, failed := v.entriesBack(to, n)
	last := len(list) - 1
	for ; last > 0; last-- {
		if _, told = list[last].Wrote[name]; told {
			break
		}
	}
	first := max(last, 1)
	if err := cmp.Or(failed[first-1:]...); err != nil {
		return told, err
	}
	if err := key.VerifyAfter(&list[first-1], list[first:]); err != nil {
		return told, err
	}
	if told && !hasDigest(v.snap.Entries[name].Value, list[last].Wrote[name]) {
		return told, rewritten(name)
	}
	return told, nil
}

// entriesBack reads the n entries up to a number, and in front of them the one that
// they hang on: a zero one if they are the first.
func (v *view) entriesBack(to, n uint64) (list []audit.Entry, failed []error) {
	list, failed = make([]audit.Entry, n+1), make([]error, n+1)
	cores.Each(len(list), func(i int) {
		if seq := to - n + uint64(i); seq > 0 {
			name := auditName(seq)
			list[i], failed[i] = readEntry(name, v.snap.Entries[name].Value)
		}
	})
	return list, failed
}
