package keys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
func OneHistory(store, other Snapshot) error {
	if err := oneSeal(store, other); err != nil {
		return fmt.Errorf("%w: %w", ErrApart, err)
	}
	short, long := &view{snap: store}, &view{snap: other}
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
	if h := (&history{told: told{last: *last}}); !h.isIn(long.snap) {
		return fmt.Errorf("%w: audit entry %d is not the same in both", ErrApart, last.Seq)
	}
	return nil
}

// oneSeal wants both to be sealed under one master key.
func oneSeal(store, other Snapshot) error {
	is, _, err := ReadSeal(store)
	was, _, otherErr := ReadSeal(other)
	switch {
	case err != nil || otherErr != nil:
		return errors.Join(err, otherErr)
	case is.Next != nil || was.Next != nil:
		return ErrResealing
	case is.KeyID != was.KeyID:
		return fmt.Errorf("the store is sealed under the master key %s, and the backup under %s", is.KeyID, was.KeyID)
	}
	return nil
}

// Restore makes every record what it is in a content of the store at another time,
// by one commit on top of what the store holds, which a Live follows like any other.
// The audit record stays, gets the entries that only the content has, and then one of
// the restore, whose target is the content's last entry. The content is proven first,
// as VerifyAudit does, and so are the store's entries. Errors: ErrApart, ErrForged.
func (m *Manager) Restore(ctx context.Context, who Actor, content Snapshot) error {
	newest, err := (&view{snap: content}).lastEntry()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForged, err)
	}
	if newest == nil {
		return fmt.Errorf("%w: it has no audit record", ErrForged)
	}
	a := act{who, "restore", fmt.Sprintf("entry %d", newest.Seq)}
	return m.commit(ctx, a, func(v *view) (change, error) {
		if err := OneHistory(v.snap, content); err != nil {
			return change{}, err
		}
		to := &view{snap: content, master: v.master}
		if err := to.genuine(); err != nil {
			return change{}, fmt.Errorf("%w: %w", ErrForged, err)
		}
		return v.leadTo(to)
	})
}

// genuine wants an audit record that holds, and every record to be the one that was
// last audited.
func (v *view) genuine() error {
	t, err := v.chain()
	if err != nil {
		return err
	}
	return t.verify(v)
}

// leadTo decides on the change from v to a content that was proven.
func (v *view) leadTo(to *view) (c change, err error) {
	is, err := v.chain()
	if err = errors.Join(err, is.broken); err != nil {
		return c, fmt.Errorf("%w: the store's audit record does not hold: %w", ErrApart, err)
	}
	for _, name := range to.entryNames(is.last.Seq) {
		c.entries = append(c.entries, Change{Name: name, Value: compact(to.snap.Entries[name].Value)})
	}
	c.records = is.leadTo(v.snap, to.snap)
	c.told.after, err = toJSON(map[string]any{"records": len(to.snap.Entries), "changed": len(c.records)})
	return c, err
}

// leadTo returns the changes of records that lead from one content, whose audit record
// was read into t, to another. A record is written also where the one that is there is
// not the one that was last audited. What is there now is erased from the disk.
func (t *told) leadTo(from, to Snapshot) (out []Change) {
	for _, name := range slices.Sorted(maps.Keys(to.Entries)) {
		is, there := from.Entries[name]
		value := to.Entries[name].Value
		if !isEntry(name) && !(there && hasDigest(value, t.wrote[name]) && hasDigest(is.Value, t.wrote[name])) {
			out = append(out, Change{Name: name, Value: compact(value), Erase: there})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(from.Entries)) {
		if _, stays := to.Entries[name]; !stays && !isEntry(name) {
			out = append(out, Change{Name: name, Erase: true})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.wrote)) {
		_, there := from.Entries[name]
		if _, stays := to.Entries[name]; !stays && !there && t.wrote[name] != "" {
			out = append(out, Change{Name: name})
		}
	}
	return out
}

func isEntry(name string) bool { return strings.HasPrefix(name, auditPrefix) }

// behind is v with audit entries that are to stand before the next one.
func (v *view) behind(entries []Change) *view {
	if len(entries) == 0 {
		return v
	}
	out := *v
	out.snap.Entries = maps.Clone(v.snap.Entries)
	for _, c := range entries {
		out.snap.Entries[c.Name] = Entry{Value: c.Value}
	}
	return &out
}
