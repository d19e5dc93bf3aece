package keys_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/memstore"
)

// TestRecordThatRested changes a project whose last entry lies far back, and wants
// what is wrong from that entry on found, and nothing asked of those before it.
func TestRecordThatRested(t *testing.T) {
	for _, since := range []int{1, 14, 15, 16, 17, 46, 47, 48, 49, 150} {
		o := newOffice(t)
		o.addProject(t, bob)
		o.addProject(t, alice)
		early := o.load(t).Entries["project/"+string(alice)]
		must(o.SuspendProject(bg, operator, alice)) // entry 3
		for i := range since {
			if i%2 == 0 {
				must(o.SuspendProject(bg, operator, bob))
			} else {
				must(o.ResumeProject(bg, operator, bob))
			}
		}
		for what, tt := range map[string]struct {
			change func(map[string]keys.Entry)
			found  bool
		}{
			"untouched":                    {func(map[string]keys.Entry) {}, false},
			"an entry before is edited":    {editActor(1), false},
			"the one before it is missing": {func(all map[string]keys.Entry) { delete(all, auditName(2)) }, true},
			"its entry is edited":          {editActor(3), true},
			"the one behind it is edited":  {editActor(4), true},
			"the last one is edited":       {editActor(3 + since), true},
			"the last one is missing":      {func(all map[string]keys.Entry) { delete(all, auditName(3+since)) }, since == 0},
			"one behind it is missing":     {func(all map[string]keys.Entry) { delete(all, auditName(4)) }, since > 1},
			"it is put back":               {func(all map[string]keys.Entry) { all["project/"+string(alice)] = early }, true},
		} {
			changed := (&bench{office: o}).with(t, tt.change)
			_, err := changed.ResumeProject(bg, operator, alice)
			if found := errors.Is(err, audit.ErrBroken) || errors.Is(err, keys.ErrDamaged); found != tt.found || !found && err != nil {
				t.Errorf("%d entries later, %s: got %v", since, what, err)
			}
		}
	}
}

func auditName(seq int) string { return fmt.Sprintf("audit/%012d", seq) }

// editActor makes an entry tell of somebody else.
func editActor(seq int) func(map[string]keys.Entry) {
	return func(all map[string]keys.Entry) {
		text := strings.Replace(string(all[auditName(seq)].Value), operator.Name, "nobody", 1)
		all[auditName(seq)] = keys.Entry{Value: []byte(text)}
	}
}

// TestLongAuditRecord: where the record is read in parts, none is taken out or
// changed unnoticed either.
func TestLongAuditRecord(t *testing.T) {
	const many, part = 4100, 4096
	entries := map[string]keys.Entry{"seal": {Value: sealEntry(1)}, "audit-key": {Value: auditKeyUnder(masterKey(1))}}
	chain := must(audit.ReadKey(sensitive.New(make([]byte, audit.KeyBytes))))
	e := audit.Entry{}
	for i := range many {
		wrote := map[string]string{}
		if i == 0 {
			wrote = map[string]string{"seal": audit.Digest(entries["seal"].Value), "audit-key": audit.Digest(entries["audit-key"].Value)}
		}
		e = must(chain.Link(&e, audit.Entry{Time: recorded, Actor: operator.Name, Action: "test", Target: "store", Wrote: wrote}))
		entries[auditName(i+1)] = keys.Entry{Value: must(json.Marshal(e))}
	}
	for what, tt := range map[string]struct {
		change func(map[string]keys.Entry)
		names  string
	}{
		"untouched":               {func(map[string]keys.Entry) {}, ""},
		"last of a part edited":   {editActor(part), "entry 4096"},
		"first of a part edited":  {editActor(part + 1), "entry 4097"},
		"last of a part removed":  {func(all map[string]keys.Entry) { delete(all, auditName(part)) }, "entry 4096"},
		"first of a part removed": {func(all map[string]keys.Entry) { delete(all, auditName(part+1)) }, "entry 4097"},
		"first of all removed":    {func(all map[string]keys.Entry) { delete(all, auditName(1)) }, "entry 1"},
	} {
		store := memstore.New()
		all := maps.Clone(entries)
		tt.change(all)
		var changes []keys.Change
		for name, e := range all {
			changes = append(changes, keys.Change{Name: name, Value: e.Value})
		}
		must(store.Commit(bg, 0, changes...))
		_, err := keys.Open(bg, store, masterKey(1))
		if found := err != nil && strings.Contains(err.Error(), tt.names); found != (tt.names != "") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
