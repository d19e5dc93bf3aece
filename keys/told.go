package keys

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

// entriesAtOnce is how many audit entries are in memory as more than their bytes.
const entriesAtOnce = 4096

// told is what a store's audit record tells, as far as it was read.
type told struct {
	last   audit.Entry       // number and chain of the last entry, on which the next one hangs
	wrote  map[string]string // by record, the digest of what was last written; "" if it was deleted
	broken error             // why the entries do not hold, of the first that do not
}

// read goes on with the entries behind the last one. holds says whether some of
// them hold behind the one before. The error names every entry that is unreadable.
func (t *told) read(v *view, holds func(before *audit.Entry, list []audit.Entry) error) error {
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
			maps.Copy(t.wrote, e.Wrote)
		}
		end := list[len(list)-1]
		t.last = audit.Entry{Seq: end.Seq, Chain: end.Chain}
	}
	return errors.Join(unreadable...)
}

// isAll wants a store to hold the records that were last written, and no others.
func (t *told) isAll(s Snapshot) error {
	return checkWrote(s, t.wrote, func(_ string, value []byte, digest string) bool { return hasDigest(value, digest) })
}

// entryNames lists the audit entries behind a number, in their order.
func (v *view) entryNames(behind uint64) []string {
	var names []string
	last := auditName(behind)
	for name := range v.snap.Entries {
		if strings.HasPrefix(name, auditPrefix) && (behind == 0 || name > last) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (v *view) readEntries(names []string) ([]audit.Entry, error) {
	list, failed := make([]audit.Entry, len(names)), make([]error, len(names))
	cores.Each(len(names), func(i int) { list[i], failed[i] = readEntry(names[i], v.snap.Entries[names[i]].Value) })
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return list, nil
}

// inSequence is what can be seen of entries without the chain's key.
func inSequence(before *audit.Entry, list []audit.Entry) error {
	for i, e := range list {
		if want := before.Seq + uint64(i) + 1; e.Seq != want {
			return damaged(auditName(e.Seq), fmt.Errorf("entry %d is missing", want))
		}
	}
	return nil
}
