package keys_test

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
	"kmproxy/keys/memstore"
)

// history is an office in which some things have happened.
func history(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.addKey(t, alice, 0, 0)
	must(b.RotateKey(bg, operator, newKey(alice, 1, 0), keys.Ends{}))
	must(b.SuspendKey(bg, operator, keyID(0)))
	must(b.DiscardKey(bg, operator, keyID(0), false))
	must(b.RotateSecret(bg, operator, alice, 0))
	return b
}

func TestEveryActIsAudited(t *testing.T) {
	b := history(t)
	entries := must(b.Audit(bg))
	want := []string{"project create", "key create", "key rotate", "key suspend", "key discard", "project rotate-secret"}
	if len(entries) != len(want) {
		t.Fatalf("%d entries", len(entries))
	}
	for i, e := range entries {
		if e.Action != want[i] || e.Actor != operator.Name || e.Seq != uint64(i+1) || !e.Time.Equal(recorded) || len(e.After) == 0 {
			t.Errorf("entry %d is %+v", i+1, e)
		}
		text := must(json.Marshal(e))
		for _, secret := range []string{"PRIVATE", "PUBLIC KEY", "secret_key", "km1."} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("entry %d has %s in it", i+1, secret)
			}
		}
	}
	if n, err := b.VerifyAudit(bg); err != nil || n != len(want) {
		t.Errorf("%d entries: %v", n, err)
	}
}

// with is a store with the same entries, changed behind kmproxy's back.
func (b *bench) with(t *testing.T, change func(map[string]keys.Entry)) office {
	t.Helper()
	entries := maps.Clone(b.load(t).Entries)
	change(entries)
	var all []keys.Change
	for name, e := range entries {
		all = append(all, keys.Change{Name: name, Value: e.Value})
	}
	store := memstore.New()
	if _, err := store.Commit(bg, 0, all...); err != nil {
		t.Fatal(err)
	}
	return office{must(keys.NewManager(bg, config(store))), store}
}

func TestTamperingIsFound(t *testing.T) {
	b := history(t)
	record := "project/" + string(alice)
	early := newBench(t) // the same project, before most of it happened
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
		"actor edited":       {replace(name(3), `"actor":"operator"`, `"actor":"nobody"`), "entry 3"},
		"action edited":      {replace(name(4), `"key suspend"`, `"key resume"`), "entry 4"},
		"time edited":        {replace(name(2), `2026-01-01`, `2025-01-01`), "entry 2"},
		"after edited":       {replace(name(5), `"discarded"`, `"suspended"`), "entry 5"},
		"first removed":      {func(all map[string]keys.Entry) { delete(all, name(1)) }, "entry 1"},
		"middle removed":     {func(all map[string]keys.Entry) { delete(all, name(3)) }, "entry 3"},
		"tail removed":       {func(all map[string]keys.Entry) { delete(all, name(6)) }, record},
		"swapped":            {func(all map[string]keys.Entry) { all[name(2)], all[name(3)] = all[name(3)], all[name(2)] }, name(2)},
		"record edited":      {replace(record, `"active"`, `"suspended"`), record},
		"record put back":    {func(all map[string]keys.Entry) { all[record] = early.load(t).Entries[record] }, record},
		"record deleted":     {func(all map[string]keys.Entry) { delete(all, record) }, record},
		"record added":       {func(all map[string]keys.Entry) { h := hand(bob); all[h.name()] = keys.Entry{Value: h.record(1)} }, string(bob)},
		"audit key replaced": {func(all map[string]keys.Entry) { all["audit-key"] = keys.Entry{Value: auditKeyUnder(masterKey(1))} }, "entry 1"},
		"audit key removed":  {func(all map[string]keys.Entry) { delete(all, "audit-key") }, "audit-key"},
	}
	for what, tt := range tests {
		o := b.with(t, tt.change)
		_, err := o.VerifyAudit(bg)
		if !errors.Is(err, audit.ErrBroken) && !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%s: %v, which does not name %s", what, err, tt.names)
		}
		if _, err := keys.Open(bg, o.store, masterKey(1)); err == nil || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%s: it is served, or not named: %v", what, err)
		}
	}
	o := b.with(t, func(map[string]keys.Entry) {})
	if _, err := o.VerifyAudit(bg); err != nil {
		t.Errorf("untouched: %v", err)
	}
	if _, err := keys.Open(bg, o.store, masterKey(1)); err != nil {
		t.Errorf("untouched: %v", err)
	}
}
