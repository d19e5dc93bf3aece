package manage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
)

// history is an keystest.Office in which some things have happened.
func history(t *testing.T) *keystest.Bench {
	t.Helper()
	b := keystest.NewBench(t)
	b.AddKey(t, keystest.Alice, 0, 0)
	keystest.Must(b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 1, 0), keys.Ends{}))
	keystest.Must(b.SuspendKey(keystest.Background, keystest.Operator, keystest.KeyID(0)))
	keystest.Must(b.DiscardKey(keystest.Background, keystest.Operator, keystest.KeyID(0), false))
	keystest.Must(b.RotateSecret(keystest.Background, keystest.Operator, keystest.Alice, 0))
	return b
}

func TestEveryActIsAudited(t *testing.T) {
	b := history(t)
	entries := keystest.Must(b.Audit(keystest.Background))
	want := []string{"project create", "key create", "key rotate", "key suspend", "key discard", "project rotate-secret"}
	if len(entries) != len(want) {
		t.Fatalf("%d entries", len(entries))
	}
	for i, e := range entries {
		if e.Action != want[i] || e.Actor != keystest.Operator.Name || e.Seq != uint64(i+1) || !e.Time.Equal(keystest.Recorded) || len(e.After) == 0 {
			t.Errorf("entry %d is %+v", i+1, e)
		}
		text := keystest.Must(json.Marshal(e))
		for _, secret := range []string{"PRIVATE", "PUBLIC KEY", "secret_key", "km1."} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("entry %d has %s in it", i+1, secret)
			}
		}
	}
	if n, err := b.VerifyAudit(keystest.Background); err != nil || n != len(want) {
		t.Errorf("%d entries: %v", n, err)
	}
}

// with is a store with the same entries, changed behind kmproxy's back.
func with(t *testing.T, o keystest.Office, change func(map[string]keys.Entry)) keystest.Office {
	t.Helper()
	entries := maps.Clone(o.Load(t).Entries)
	change(entries)
	var all []keys.Change
	for name, e := range entries {
		all = append(all, keys.Change{Name: name, Value: e.Value})
	}
	store := memstore.New()
	if _, err := store.Commit(keystest.Background, 0, all...); err != nil {
		t.Fatal(err)
	}
	return keystest.Office{Manager: keystest.Must(manage.New(keystest.Background, keystest.Config(store))), Store: store}
}

func TestTamperingIsFound(t *testing.T) {
	b := history(t)
	record := "project/" + string(keystest.Alice)
	early := keystest.NewBench(t) // the same project, before most of it happened
	name := func(n int) string { return fmt.Sprintf("audit/%012d", n) }
	replace := func(entry, from, to string) func(map[string]keys.Entry) {
		return func(all map[string]keys.Entry) {
			changed := strings.Replace(string(all[entry].Value), from, to, 1)
			if changed == string(all[entry].Value) {
				t.Fatalf("%s has no %s", entry, from)
			}
			all[entry] = keys.Entry{Value: []byte(changed)}
		}
	}
	tests := map[string]struct {
		change func(map[string]keys.Entry)
		names  string
	}{
		"actor edited":             {replace(name(3), `"actor":"operator"`, `"actor":"nobody"`), "entry 3"},
		"action edited":            {replace(name(4), `"key suspend"`, `"key resume"`), "entry 4"},
		"time edited":              {replace(name(2), `2026-01-01`, `2025-01-01`), "entry 2"},
		"after edited":             {replace(name(5), `"discarded"`, `"suspended"`), "entry 5"},
		"first removed":            {func(all map[string]keys.Entry) { delete(all, name(1)) }, "entry 1"},
		"middle removed":           {func(all map[string]keys.Entry) { delete(all, name(3)) }, "entry 3"},
		"tail removed":             {func(all map[string]keys.Entry) { delete(all, name(6)) }, record},
		"swapped":                  {func(all map[string]keys.Entry) { all[name(2)], all[name(3)] = all[name(3)], all[name(2)] }, name(2)},
		"record edited":            {replace(record, `"active"`, `"suspended"`), record},
		"record keystest.Put back": {func(all map[string]keys.Entry) { all[record] = early.Load(t).Entries[record] }, record},
		"record deleted":           {func(all map[string]keys.Entry) { delete(all, record) }, record},
		"record added": {func(all map[string]keys.Entry) {
			h := keystest.RecordFor(keystest.Bob)
			all[h.RecordName()] = keys.Entry{Value: h.Record(1)}
		}, string(keystest.Bob)},
		"audit key replaced": {func(all map[string]keys.Entry) {
			all["audit-key"] = keys.Entry{Value: keystest.AuditKeyUnder(keystest.MasterKey(1))}
		}, "entry 1"},
		"audit key removed": {func(all map[string]keys.Entry) { delete(all, "audit-key") }, "audit-key"},
	}
	for what, tt := range tests {
		o := with(t, b.Office, tt.change)
		_, err := o.VerifyAudit(keystest.Background)
		if !errors.Is(err, audit.ErrBroken) && !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%s: %v, which does not name %s", what, err, tt.names)
		}
		if _, err := ring.Open(keystest.Background, o.Store, keystest.MasterKey(1)); err == nil || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%s: it is served, or not named: %v", what, err)
		}
	}
	o := with(t, b.Office, func(map[string]keys.Entry) {})
	if _, err := o.VerifyAudit(keystest.Background); err != nil {
		t.Errorf("untouched: %v", err)
	}
	if _, err := ring.Open(keystest.Background, o.Store, keystest.MasterKey(1)); err != nil {
		t.Errorf("untouched: %v", err)
	}
}
