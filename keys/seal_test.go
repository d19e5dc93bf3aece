package keys_test

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

func TestFirstCommitSaysWhatSeals(t *testing.T) {
	o := newOffice(t)
	if r, ok, err := keys.ReadSeal(o.load(t)); ok || err != nil || r.KeyID != "" {
		t.Fatalf("an empty store: %+v, %t, %v", r, ok, err)
	}
	kdf := envelope.NewKDF()
	c := config(o.store)
	c.KDF = &kdf
	office{must(keys.NewManager(t.Context(), c)), o.store}.addProject(t, alice)
	r, ok, err := keys.ReadSeal(o.load(t))
	if !ok || err != nil || r.KeyID != masterKey(1).ID() || !r.CreatedAt.Equal(recorded) {
		t.Fatalf("got %+v, %t, %v", r, ok, err)
	}
	if r.KDF == nil || string(r.KDF.Salt) != string(kdf.Salt) || r.KDF.Passes != kdf.Passes {
		t.Errorf("the KDF is %+v, was %+v", r.KDF, kdf)
	}
	if s := o.load(t); s.Entries["seal"].Revision != 1 || s.Revision != 1 {
		t.Errorf("it took until revision %d", s.Revision)
	}
	o.addProject(t, bob)
	if s := o.load(t); s.Entries["seal"].Revision != 1 {
		t.Error("it was written again")
	}
}

func TestOtherMasterKey(t *testing.T) {
	o := newOffice(t)
	o.addProject(t, alice)
	both := func(who string, err error) {
		t.Helper()
		if !errors.Is(err, envelope.ErrOtherKey) || !strings.Contains(err.Error(), masterKey(1).ID()) || !strings.Contains(err.Error(), masterKey(2).ID()) {
			t.Errorf("%s: got %v", who, err)
		}
	}
	c := config(o.store)
	c.Master = masterKey(2)
	_, err := keys.NewManager(t.Context(), c)
	both("a manager", err)
	_, err = keys.NewRing(o.load(t), masterKey(2), nil)
	both("a ring", err)
	_, err = keys.Open(t.Context(), o.store, masterKey(2))
	both("a live ring", err)
}

// TestRaceOfTwoMasterKeys: two managers found the store empty; the second one's
// first act must not seal under another key.
func TestRaceOfTwoMasterKeys(t *testing.T) {
	store := memstore.New()
	first := officeOn(t, store)
	c := config(store)
	c.Master = masterKey(2)
	second := must(keys.NewManager(t.Context(), c))
	first.addProject(t, alice)
	_, err := second.CreateProject(t.Context(), operator, keys.NewProject{ASPID: bob})
	if !errors.Is(err, envelope.ErrOtherKey) || first.load(t).Revision != 1 {
		t.Errorf("revision %d, %v", first.load(t).Revision, err)
	}
}

// TestRecordUnderAnotherMasterKey stands in a store that is sealed under ours.
func TestRecordUnderAnotherMasterKey(t *testing.T) {
	h := hand(alice)
	at := envelope.Place{Record: h.name(), Field: "secrets", Version: 1}
	record := recordOf(1, asJSON(h), masterKey(2).Seal(at, []byte(asJSON(h)), []byte(asJSON(h.secrets()))))
	wantDamaged(t, "another master key", h.name(), record)
	_, err := keys.NewRing(snapshot(map[string][]byte{h.name(): record}), masterKey(1), nil)
	if !errors.Is(err, envelope.ErrOtherKey) || !strings.Contains(err.Error(), masterKey(2).ID()) {
		t.Errorf("the key it wants is not named: %v", err)
	}
}

func TestDamagedSealRecord(t *testing.T) {
	for how, value := range map[string]string{
		"missing": "", "null": `null`, "a list": `[]`, "no key id": `{}`, "an empty key id": `{"key_id":""}`,
		"a short key id": `{"key_id":"001122334455667"}`, "no hex": `{"key_id":"00112233445566gg"}`,
		"an escape sequence": `{"key_id":"\u001b[2J\u001b[31mhacked"}`, "a wrong salt": `{"key_id":"0011223344556677","kdf":{"salt":"!"}}`,
	} {
		store := memstore.New()
		put(t, store, "project/"+string(alice), hand(alice).record(1))
		if value != "" {
			put(t, store, "seal", []byte(value))
		}
		_, err := keys.NewManager(t.Context(), config(store))
		_, ringErr := keys.Open(t.Context(), store, masterKey(1))
		for _, err := range []error{err, ringErr} {
			if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), "record seal") || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s: got %v", how, err)
			}
		}
	}
}

// TestSealRecordLost after a manager was opened: it must not seal anew.
func TestSealRecordLost(t *testing.T) {
	o := newOffice(t)
	o.addProject(t, alice)
	if _, err := o.store.Commit(t.Context(), 1, keys.Change{Name: "seal"}); err != nil {
		t.Fatal(err)
	}
	_, err := o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: bob})
	if !errors.Is(err, keys.ErrDamaged) || o.load(t).Revision != 2 {
		t.Errorf("revision %d, %v", o.load(t).Revision, err)
	}
}
