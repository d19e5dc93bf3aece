package vault

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

// History is what the audit record says that a store holds, as far as it was
// proven. It is what keeps an old record, which still opens, from being served
// again: a suspended key would be active in it. A History is never changed.
type History struct {
	Trail
	values map[string][]byte // those of digests, so that their digests need not be made again
}

// Prove goes on from h to the history of what s holds now. A nil h is before the
// first entry; another one must be in s. It wants every entry to be genuine and
// every record to be the one last written.
// Errors: ErrDamaged, audit.ErrBroken.
func (h *History) Prove(s keys.Snapshot, master envelope.Key) (*History, error) {
	v := &View{Snapshot: s, Master: master}
	if len(s.Entries) == 0 {
		return nil, nil
	}
	key, err := v.AuditKey()
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

// IsIn reports whether the last entry of h is in s. It authenticates all before it.
func (h *History) IsIn(s keys.Snapshot) bool {
	if h == nil || h.last.Seq == 0 {
		return true
	}
	name := auditName(h.last.Seq)
	e, err := readEntry(name, s.Entries[name].Value)
	return err == nil && e.Chain == h.last.Chain
}

// Last is the number of the last entry; 0 before the first.
func (h *History) Last() uint64 {
	if h == nil {
		return 0
	}
	return h.last.Seq
}

// next is a copy of what h tells, to be gone on from.
func (h *History) next() *History {
	if h == nil {
		return &History{Trail: Trail{digests: map[string]string{}}}
	}
	return &History{Trail: Trail{last: h.last, digests: maps.Clone(h.digests)}}
}

// check compares the records of s with what was written, and keeps their values:
// the newer copies, so that the older can go.
func (h *History) check(s keys.Snapshot, before *History) error {
	h.values = make(map[string][]byte, len(h.digests))
	for name := range h.digests {
		h.values[name] = s.Entries[name].Value
	}
	return checkWrote(s, h.digests, func(name string, value []byte, digest string) bool {
		return before.knows(name, value, digest) || hasDigest(value, digest)
	})
}

// knows reports whether that value was found to have that digest.
func (h *History) knows(name string, value []byte, digest string) bool {
	return h != nil && h.digests[name] == digest && bytes.Equal(h.values[name], value)
}

// fewEntries is how far lastAudited looks back at first.
const fewEntries = 16

// lastAudited wants one record to be what the newest entry about it says, and the
// entries from that one on to be genuine. It looks back ever further at once: a
// record may have rested for a hundred thousand entries. Errors: ErrDamaged,
// audit.ErrBroken.
func (v *View) lastAudited(name string) error {
	key, err := v.AuditKey()
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
			if found, err := v.lastAmong(key, name, to, n); found || err != nil {
				return err
			}
			to -= n
		}
	}
	return fmt.Errorf("%w: record %s was put there by nobody", audit.ErrBroken, name)
}

// lastAmong reports whether one of the n entries up to a number wrote a record. The
// newest that did must say what it is, and it and those behind it be genuine; all
// of them, if none did.
func (v *View) lastAmong(key audit.Key, name string, to, n uint64) (found bool, err error) {
	list, failed := v.entriesBack(to, n)
	last := len(list) - 1
	for ; last > 0; last-- {
		if _, found = list[last].Wrote[name]; found {
			break
		}
	}
	first := max(last, 1)
	if err := cmp.Or(failed[first-1:]...); err != nil {
		return found, err
	}
	if err := key.VerifyAfter(&list[first-1], list[first:]); err != nil {
		return found, err
	}
	if found && !hasDigest(v.Entries[name].Value, list[last].Wrote[name]) {
		return found, rewritten(name)
	}
	return found, nil
}

// entriesBack reads the n entries up to a number, and in front of them the one that
// they hang on: a zero one if they are the first.
func (v *View) entriesBack(to, n uint64) (list []audit.Entry, failed []error) {
	list, failed = make([]audit.Entry, n+1), make([]error, n+1)
	cores.Each(len(list), func(i int) {
		if seq := to - n + uint64(i); seq > 0 {
			name := auditName(seq)
			list[i], failed[i] = readEntry(name, v.Entries[name].Value)
		}
	})
	return list, failed
}
