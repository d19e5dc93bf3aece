package manage_test

import (
	"bytes"
	"errors"
	"maps"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
	"kmproxy/keys/reseal"
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
func holding(t *testing.T, s keys.Snapshot) keystest.Office {
	t.Helper()
	var all []keys.Change
	for name, e := range s.Entries {
		all = append(all, keys.Change{Name: name, Value: e.Value})
	}
	to := memstore.New()
	keystest.Must(to.Commit(t.Context(), 0, all...))
	return keystest.OfficeOn(t, to)
}

// days are the contents of a store on three days: keystest.Alice is suspended on the second,
// and keystest.Bob comes on the third.
func days(t *testing.T) (first, second, third keys.Snapshot) {
	t.Helper()
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	first = o.Load(t)
	keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
	second = o.Load(t)
	o.AddProject(t, keystest.Bob)
	return first, second, o.Load(t)
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
		"back":    {third, first, 4},
		"forward": {first, third, 4},
		"nowhere": {second, second, 3},
		"back, where a record was keystest.Put back": {withEntry(third, aliceRecord, first.Entries[aliceRecord].Value), first, 4},
		"from an edited record":                      {withEntry(third, aliceRecord, []byte(`{"edited":true}`)), second, 4},
		"from a record of nobody":                    {withEntry(first, bobRecord, third.Entries[bobRecord].Value), second, 3},
		"from a record that was taken away":          {deleted, third, 4},
		"back, where one was taken away":             {deleted, first, 4},
	} {
		t.Run(name, func(t *testing.T) {
			o := holding(t, tt.from)
			if err := o.Restore(t.Context(), keystest.Operator, tt.to); err != nil {
				t.Fatal(err)
			}
			if n, err := o.VerifyAudit(t.Context()); err != nil || n != tt.entries {
				t.Errorf("%d audit entries, want %d: %v", n, tt.entries, err)
			}
			is := o.Load(t)
			for _, record := range []string{aliceRecord, bobRecord, "seal", "audit-key"} {
				if !bytes.Equal(is.Entries[record].Value, tt.to.Entries[record].Value) {
					t.Errorf("record %s is not that of the backup", record)
				}
			}
			list := keystest.Must(o.Audit(t.Context()))
			if last := list[len(list)-1]; last.Action != "restore" || last.Actor != keystest.Operator.Name {
				t.Errorf("the last entry is %v", last)
			}
			if _, err := o.RotateSecret(t.Context(), keystest.Operator, keystest.Alice, 0); err != nil {
				t.Errorf("the next change: %v", err)
			}
			keystest.Put(t, o.Store, aliceRecord, second.Entries[aliceRecord].Value)
			if _, err := o.VerifyAudit(t.Context()); err == nil {
				t.Error("a record that is keystest.Put back after it is not found")
			}
		})
	}
}

// TestRestoreRefuses: what cannot be keystest.Put on top, and a backup that was made up, leave
// the store as it is.
func TestRestoreRefuses(t *testing.T) {
	first, second, third := days(t)
	other := keystest.NewOffice(t)
	other.AddProject(t, keystest.Alice)
	edited := func(s keys.Snapshot, entry string) keys.Snapshot {
		return withEntry(s, entry, bytes.Replace(s.Entries[entry].Value, []byte("operator"), []byte("somebody"), 1))
	}
	aside := holding(t, first)
	aside.AddProject(t, keystest.Bob)
	for name, tt := range map[string]struct {
		from, to keys.Snapshot
		want     error
	}{
		"another store":                       {third, other.Load(t), manage.ErrApart},
		"two ways from one day":               {third, aside.Load(t), manage.ErrApart},
		"a broken audit record":               {edited(third, "audit/000000000003"), first, manage.ErrApart},
		"an edited entry":                     {third, edited(second, "audit/000000000001"), manage.ErrForged},
		"an edited entry, newer":              {first, edited(third, "audit/000000000002"), manage.ErrForged},
		"a record of another day":             {third, withEntry(second, aliceRecord, first.Entries[aliceRecord].Value), manage.ErrForged},
		"a record keystest.Put there by hand": {third, withEntry(second, bobRecord, third.Entries[bobRecord].Value), manage.ErrForged},
	} {
		t.Run(name, func(t *testing.T) {
			o := holding(t, tt.from)
			before := o.Load(t)
			if err := o.Restore(t.Context(), keystest.Operator, tt.to); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if o.Load(t).Revision != before.Revision {
				t.Error("the store was changed")
			}
		})
	}
}

// TestRestoreAfterReseal: records under a former master key cannot be keystest.Put on top.
func TestRestoreAfterReseal(t *testing.T) {
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	before := o.Load(t)
	keystest.Must(reseal.Job{Store: o.Store, From: keystest.MasterKey(1), To: keystest.MasterKey(2)}.Run(t.Context(), keystest.Operator))
	if err := manage.OneHistory(o.Load(t), before); !errors.Is(err, manage.ErrApart) {
		t.Errorf("another master key: %v", err)
	}
	keystest.Must(reseal.Job{Store: o.Store, From: keystest.MasterKey(2), To: keystest.MasterKey(1)}.Run(t.Context(), keystest.Operator))
	if err := o.Restore(t.Context(), keystest.Operator, before); err != nil {
		t.Errorf("the same one again: %v", err)
	}
	if _, err := o.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}
