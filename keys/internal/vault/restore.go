package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kmproxy/keys"
)

// Errors of a content that is to be restored. Nothing was changed.
var (
	// ErrApart reports a store that no commit can lead to the content, because they
	// have not one history under one master key.
	ErrApart = errors.New("the store and the backup have no common history")
	// ErrForged reports a content that is not the one which was audited.
	ErrForged = errors.New("the backup is not genuine")
)

// OneHistory reports, without the master key, whether a store and another content
// are sealed under one master key, and the audit record of one goes on from that of
// the other. Its error is ErrApart with the reason.
func OneHistory(store, other keys.Snapshot) error {
	if err := oneSeal(store, other); err != nil {
		return fmt.Errorf("%w: %w", ErrApart, err)
	}
	short, long := &View{Snapshot: store}, &View{Snapshot: other}
	last, err := short.lastEntry()
	otherLast, otherErr := long.lastEntry()
	switch {
	case err != nil || otherErr != nil:
		return fmt.Errorf("%w: %w", ErrApart, errors.Join(err, otherErr))
	case last == nil || otherLast == nil:
		return fmt.Errorf("%w: one of them has no audit record", ErrApart)
	case last.Seq > otherLast.Seq:
		last, long = otherLast, short
	}
	if h := (&History{Trail: Trail{last: *last}}); !h.IsIn(long.Snapshot) {
		return fmt.Errorf("%w: audit entry %d is not the same in both", ErrApart, last.Seq)
	}
	return nil
}

// oneSeal wants both to be sealed under one master key.
func oneSeal(store, other keys.Snapshot) error {
	is, _, err := keys.ReadSeal(store)
	was, _, otherErr := keys.ReadSeal(other)
	switch {
	case err != nil || otherErr != nil:
		return errors.Join(err, otherErr)
	case is.Next != nil || was.Next != nil:
		return keys.ErrResealing
	case is.KeyID != was.KeyID:
		return fmt.Errorf("the store is sealed under the master key %s, and the backup under %s", is.KeyID, was.KeyID)
	}
	return nil
}

// LeadTo decides on what makes every record what it is in a content of the store at
// another time: the audit record stays, and gets the entries that only the content
// has. The content is proven first, as VerifyAll does, and so are the store's
// entries. Errors: ErrApart, ErrForged.
func (v *View) LeadTo(content keys.Snapshot) (Change, error) {
	if err := OneHistory(v.Snapshot, content); err != nil {
		return Change{}, err
	}
	to := NewView(content, v.Master, v.Now)
	if _, err := to.VerifyAll(); err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrForged, err)
	}
	return v.leadTo(to)
}

// leadTo decides on the change from v to a content that was proven.
func (v *View) leadTo(to *View) (c Change, err error) {
	is, err := v.trail()
	if err = errors.Join(err, is.broken); err != nil {
		return c, fmt.Errorf("%w: the store's audit record does not hold: %w", ErrApart, err)
	}
	for _, name := range to.entryNames(is.last.Seq) {
		c.Entries = append(c.Entries, keys.Change{Name: name, Value: compact(to.Entries[name].Value)})
	}
	c.Records = is.leadTo(v.Snapshot, to.Snapshot)
	c.Told.After, err = JSON(map[string]any{"records": len(to.Entries), "changed": len(c.Records)})
	return c, err
}

// leadTo returns the changes of records that lead from one content, whose audit record
// was read into t, to another. A record is written also where the one that is there is
// not the one that was last audited. What is there now is erased from the disk.
func (t *Trail) leadTo(from, to keys.Snapshot) (out []keys.Change) {
	for _, name := range slices.Sorted(maps.Keys(to.Entries)) {
		is, there := from.Entries[name]
		value := to.Entries[name].Value
		if !isEntry(name) && !(there && hasDigest(value, t.digests[name]) && hasDigest(is.Value, t.digests[name])) {
			out = append(out, keys.Change{Name: name, Value: compact(value), Erase: there})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(from.Entries)) {
		if _, stays := to.Entries[name]; !stays && !isEntry(name) {
			out = append(out, keys.Change{Name: name, Erase: true})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.digests)) {
		_, there := from.Entries[name]
		if _, stays := to.Entries[name]; !stays && !there && t.digests[name] != "" {
			out = append(out, keys.Change{Name: name})
		}
	}
	return out
}

func isEntry(name string) bool { return strings.HasPrefix(name, auditPrefix) }

// after is v with audit entries that are to stand before the next one.
func (v *View) after(entries []keys.Change) *View {
	if len(entries) == 0 {
		return v
	}
	out := *v
	out.Entries = maps.Clone(v.Entries)
	for _, c := range entries {
		out.Entries[c.Name] = keys.Entry{Value: c.Value}
	}
	return &out
}

// LastEntry is the number of the newest audit entry of a content. Its error is
// ErrForged if there is none, or it cannot be read.
func LastEntry(content keys.Snapshot) (uint64, error) {
	newest, err := (&View{Snapshot: content}).lastEntry()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrForged, err)
	}
	if newest == nil {
		return 0, fmt.Errorf("%w: it has no audit record", ErrForged)
	}
	return newest.Seq, nil
}
