package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

// entriesAtOnce is how many audit entries are in memory as more than their bytes.
const entriesAtOnce = 4096

// Trail is what a store's audit record says, as far as it was read.
type Trail struct {
	last    audit.Entry       // number and chain of the last entry, on which the next one hangs
	digests map[string]string // by record, the digest of what was last written; "" if it was deleted
	broken  error             // why the entries do not hold, of the first that do not
}

// read goes on with the entries after the last one. holds says whether some of
// them hold after the one before. The error names every entry that is unreadable.
func (t *Trail) read(v *View, holds func(before *audit.Entry, list []audit.Entry) error) error {
	var unreadable []error
	for names := range slices.Chunk(v.entryNames(t.last.Seq), entriesAtOnce) {
		list, err := v.readEntries(names)
		if err != nil {
			unreadable = append(unreadable, err)
			continue
		}
		if t.broken == nil {
			t.broken = holds(&t.last, list)
		}
		for _, e := range list {
			maps.Copy(t.digests, e.Wrote)
		}
		end := list[len(list)-1]
		t.last = audit.Entry{Seq: end.Seq, Chain: end.Chain}
	}
	return errors.Join(unreadable...)
}

// isAll wants a store to hold the records that were last written, and no others.
func (t *Trail) isAll(s keys.Snapshot) error {
	return checkWrote(s, t.digests, func(_ string, value []byte, digest string) bool { return hasDigest(value, digest) })
}

// entryNames lists the audit entries after a number, in their order.
func (v *View) entryNames(after uint64) []string {
	var names []string
	last := auditName(after)
	for name := range v.Entries {
		if strings.HasPrefix(name, auditPrefix) && (after == 0 || name > last) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (v *View) readEntries(names []string) ([]audit.Entry, error) {
	list, failed := make([]audit.Entry, len(names)), make([]error, len(names))
	cores.Each(len(names), func(i int) { list[i], failed[i] = readEntry(names[i], v.Entries[names[i]].Value) })
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return list, nil
}

// inSequence is what can be seen of entries without the chain's key.
func inSequence(before *audit.Entry, list []audit.Entry) error {
	for i, e := range list {
		if want := before.Seq + uint64(i) + 1; e.Seq != want {
			return Damaged(auditName(e.Seq), fmt.Errorf("entry %d is missing", want))
		}
	}
	return nil
}
