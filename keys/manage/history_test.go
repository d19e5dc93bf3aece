package manage_test

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
	"kmproxy/keys/keystest"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
)

// TestRecordThatRested changes a project whose last entry lies far back, and wants
// what is wrong from that entry on found, and nothing asked of those before it.
func TestRecordThatRested(t *testing.T) {
	for _, since := range []int{1, 14, 15, 16, 17, 46, 47, 48, 49, 150} {
		o := keystest.NewOffice(t)
		o.AddProject(t, keystest.Bob)
		o.AddProject(t, keystest.Alice)
		early := o.Load(t).Entries["project/"+string(keystest.Alice)]
		keystest.Must(o.SuspendProject(keystest.Background, keystest.Operator, keystest.Alice)) // entry 3
		for i := range since {
			if i%2 == 0 {
				keystest.Must(o.SuspendProject(keystest.Background, keystest.Operator, keystest.Bob))
			} else {
				keystest.Must(o.ResumeProject(keystest.Background, keystest.Operator, keystest.Bob))
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
			"it is put back":               {func(all map[string]keys.Entry) { all["project/"+string(keystest.Alice)] = early }, true},
		} {
			changed := with(t, o, tt.change)
			_, err := changed.ResumeProject(keystest.Background, keystest.Operator, keystest.Alice)
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
		text := strings.Replace(string(all[auditName(seq)].Value), keystest.Operator.Name, "nobody", 1)
		all[auditName(seq)] = keys.Entry{Value: []byte(text)}
	}
}

// TestLongAuditRecord: where the record is read in parts, none is taken out or
// changed unnoticed either.
func TestLongAuditRecord(t *testing.T) {
	const many, part = 4100, 4096
	entries := map[string]keys.Entry{"seal": {Value: keystest.SealEntry(1)}, "audit-key": {Value: keystest.AuditKeyUnder(keystest.MasterKey(1))}}
	chain := keystest.Must(audit.ReadKey(sensitive.New(make([]byte, audit.KeyBytes))))
	e := audit.Entry{}
	for i := range many {
		wrote := map[string]string{}
		if i == 0 {
			wrote = map[string]string{"seal": audit.Digest(entries["seal"].Value), "audit-key": audit.Digest(entries["audit-key"].Value)}
		}
		e = keystest.Must(chain.Link(&e, audit.Entry{Time: keystest.Recorded, Actor: keystest.Operator.Name, Action: "test", Target: "store", Wrote: wrote}))
		entries[auditName(i+1)] = keys.Entry{Value: keystest.Must(json.Marshal(e))}
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
		keystest.Must(store.Commit(keystest.Background, 0, changes...))
		_, err := ring.Open(keystest.Background, store, keystest.MasterKey(1))
		if found := err != nil && strings.Contains(err.Error(), tt.names); found != (tt.names != "") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
