package keys_test

import (
	"bytes"
	"errors"
	"maps"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

const (
	aliceRecord = "project/Alice0000000001"
	bobRecord   = "project/Bob000000000001"
)

// withEntry is a content in which one entry is another.
func withEntry(s keys.Snapshot, name string, value []byte) keys.Snapshot {
	s.Entries = maps.Clone(s.Entries)
	s.Entries[name] = keys.Entry{Value: value}
	return s
}

// holding is a manager on a store that holds that.
func holding(t *testing.T, s keys.Snapshot) office {
	t.Helper()
	var all []keys.Change
	for name, e := range s.Entries {
		all = append(all, keys.Change{Name: name, Value: e.Value})
	}
	to := memstore.New()
	must(to.Commit(t.Context(), 0, all...))
	return officeOn(t, to)
}

// days are the contents of a store on three days: alice is suspended on the second,
// and bob comes on the third.
func days(t *testing.T) (first, second, third keys.Snapshot) {
	t.Helper()
	o := newOffice(t)
	o.addProject(t, alice)
	first = o.load(t)
	must(o.SuspendProject(t.Context(), operator, alice))
	second = o.load(t)
	o.addProject(t, bob)
	return first, second, o.load(t)
}

// TestRestoreLeadsThere: whatever the store holds, its records are then those of the
// backup, and the audit record vouches for each of them and has lost nothing.
func TestRestoreLeadsThere(t *testing.T) {
	first, second, third := days(t)
	deleted := keys.Snapshot{Entries: maps.Clone(third.Entries)}
	delete(deleted.Entries, bobRecord)
	for name, tt := range map[string]struct {
		from, to keys.Snapshot
		entries  int
	}{
		"back":                              {third, first, 4},
		"forward":                           {first, third, 4},
		"nowhere":                           {second, second, 3},
		"back, where a record was put back": {withEntry(third, aliceRecord, first.Entries[aliceRecord].Value), first, 4},
		"from an edited record":             {withEntry(third, aliceRecord, []byte(`{"edited":true}`)), second, 4},
		"from a record of nobody":           {withEntry(first, bobRecord, third.Entries[bobRecord].Value), second, 3},
		"from a record that was taken away": {deleted, third, 4},
		"back, where one was taken away":    {deleted, first, 4},
	} {
		t.Run(name, func(t *testing.T) {
			o := holding(t, tt.from)
			if err := o.Restore(t.Context(), operator, tt.to); err != nil {
				t.Fatal(err)
			}
			if n, err := o.VerifyAudit(t.Context()); err != nil || n != tt.entries {
				t.Errorf("%d audit entries, want %d: %v", n, tt.entries, err)
			}
			is := o.load(t)
			for _, record := range []string{aliceRecord, bobRecord, "seal", "audit-key"} {
				if !bytes.Equal(is.Entries[record].Value, tt.to.Entries[record].Value) {
					t.Errorf("record %s is not that of the backup", record)
				}
			}
			list := must(o.Audit(t.Context()))
			if last := list[len(list)-1]; last.Action != "restore" || last.Actor != operator.Name {
				t.Errorf("the last entry is %v", last)
			}
			if _, err := o.RotateSecret(t.Context(), operator, alice, 0); err != nil {
				t.Errorf("the next change: %v", err)
			}
			put(t, o.store, aliceRecord, second.Entries[aliceRecord].Value)
			if _, err := o.VerifyAudit(t.Context()); err == nil {
				t.Error("a record that is put back after it is not found")
			}
		})
	}
}

// TestRestoreRefuses: what cannot be put on top, and a backup that was made up, leave
// the store as it is.
func TestRestoreRefuses(t *testing.T) {
	first, second, third := days(t)
	other := newOffice(t)
	other.addProject(t, alice)
	edited := func(s keys.Snapshot, entry string) keys.Snapshot {
		return withEntry(s, entry, bytes.Replace(s.Entries[entry].Value, []byte("operator"), []byte("somebody"), 1))
	}
	aside := holding(t, first)
	aside.addProject(t, bob)
	for name, tt := range map[string]struct {
		from, to keys.Snapshot
		want     error
	}{
		"another store":              {third, other.load(t), keys.ErrApart},
		"two ways from one day":      {third, aside.load(t), keys.ErrApart},
		"a broken audit record":      {edited(third, "audit/000000000003"), first, keys.ErrApart},
		"an edited entry":            {third, edited(second, "audit/000000000001"), keys.ErrForged},
		"an edited entry, newer":     {first, edited(third, "audit/000000000002"), keys.ErrForged},
		"a record of another day":    {third, withEntry(second, aliceRecord, first.Entries[aliceRecord].Value), keys.ErrForged},
		"a record put there by hand": {third, withEntry(second, bobRecord, third.Entries[bobRecord].Value), keys.ErrForged},
	} {
		t.Run(name, func(t *testing.T) {
			o := holding(t, tt.from)
			before := o.load(t)
			if err := o.Restore(t.Context(), operator, tt.to); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if o.load(t).Revision != before.Revision {
				t.Error("the store was changed")
			}
		})
	}
}

// TestRestoreAfterReseal: records under a former master key cannot be put on top.
func TestRestoreAfterReseal(t *testing.T) {
	o := newOffice(t)
	o.addProject(t, alice)
	before := o.load(t)
	must(keys.Reseal{Store: o.store, From: masterKey(1), To: masterKey(2)}.Run(t.Context(), operator))
	if err := keys.OneHistory(o.load(t), before); !errors.Is(err, keys.ErrApart) {
		t.Errorf("another master key: %v", err)
	}
	must(keys.Reseal{Store: o.store, From: masterKey(2), To: masterKey(1)}.Run(t.Context(), operator))
	if err := o.Restore(t.Context(), operator, before); err != nil {
		t.Errorf("the same one again: %v", err)
	}
	if _, err := o.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}
