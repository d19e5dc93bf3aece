package keys

import (
	"bytes"
	"fmt"
	"maps"

	"kmproxy/crypto/envelope"
	"kmproxy/keys/audit"
)

// history is what the audit record says that a store holds, as far as it was
// proven. It is what keeps an old record, which still opens, from being served
// again: a suspended key would be active in it. A history is never changed.
type history struct {
	last   *audit.Entry      // nil: none was read yet
	wrote  map[string]string // by record, the digest of what was last written; "" if it was deleted
	values map[string][]byte // those of wrote, so that their digests need not be made again
}

// prove goes on from h, which may be nil, to the history of what s holds now. It
// wants every entry to be genuine and every record to be the one last written.
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
	next := h.startOn(s)
	entries, err := v.entriesAfter(next.last)
	if err != nil {
		return nil, err
	}
	if err := key.VerifyAfter(next.last, entries); err != nil {
		return nil, err
	}
	for _, e := range entries {
		maps.Copy(next.wrote, e.Wrote)
		next.last = &audit.Entry{Seq: e.Seq, Chain: e.Chain} // all that the next one hangs on
	}
	return next, next.check(s, h)
}

// startOn is what of h holds for s too: all, or nothing if the store was put back
// to another history.
func (h *history) startOn(s Snapshot) *history {
	fresh := &history{wrote: map[string]string{}}
	if h == nil || h.last == nil {
		return fresh
	}
	name := auditName(h.last.Seq)
	e, err := readEntry(name, s.Entries[name].Value)
	if err != nil || e.Chain != h.last.Chain {
		return fresh
	}
	return &history{last: h.last, wrote: maps.Clone(h.wrote)}
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

// lastAudited wants one record to be what the newest entry about it says, and the
// entries from that one on to be genuine. Errors: ErrDamaged, audit.ErrBroken.
func (v *view) lastAudited(name string) error {
	key, err := v.auditKey()
	if err != nil {
		return err
	}
	e, err := v.lastEntry()
	for err == nil && e != nil {
		var before *audit.Entry
		if before, err = v.entryBefore(*e); err != nil {
			break
		}
		if err = key.VerifyAfter(before, []audit.Entry{*e}); err != nil {
			break
		}
		if wrote, ok := e.Wrote[name]; ok {
			if !hasDigest(v.snap.Entries[name].Value, wrote) {
				return rewritten(name)
			}
			return nil
		}
		e = before
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: record %s was put there by nobody", audit.ErrBroken, name)
}

// entryBefore is the entry in front of e; nil for the first.
func (v *view) entryBefore(e audit.Entry) (*audit.Entry, error) {
	if e.Seq <= 1 {
		return nil, nil
	}
	name := auditName(e.Seq - 1)
	before, err := readEntry(name, v.snap.Entries[name].Value)
	return &before, err
}
