package manage_test

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
)

func TestFirstCommitSaysWhatSeals(t *testing.T) {
	o := keystest.NewOffice(t)
	if r, ok, err := keys.ReadSeal(o.Load(t)); ok || err != nil || r.KeyID != "" {
		t.Fatalf("an empty store: %+v, %t, %v", r, ok, err)
	}
	kdf := envelope.NewKDF()
	c := keystest.Config(o.Store)
	c.KDF = &kdf
	keystest.Office{Manager: keystest.Must(manage.New(t.Context(), c)), Store: o.Store}.AddProject(t, keystest.Alice)
	r, ok, err := keys.ReadSeal(o.Load(t))
	if !ok || err != nil || r.KeyID != keystest.MasterKey(1).ID() || !r.CreatedAt.Equal(keystest.Recorded) {
		t.Fatalf("got %+v, %t, %v", r, ok, err)
	}
	if r.KDF == nil || string(r.KDF.Salt) != string(kdf.Salt) || r.KDF.Passes != kdf.Passes {
		t.Errorf("the KDF is %+v, was %+v", r.KDF, kdf)
	}
	if s := o.Load(t); s.Entries["seal"].Revision != 1 || s.Revision != 1 {
		t.Errorf("it took until revision %d", s.Revision)
	}
	o.AddProject(t, keystest.Bob)
	if s := o.Load(t); s.Entries["seal"].Revision != 1 {
		t.Error("it was written again")
	}
}

func TestOtherMasterKey(t *testing.T) {
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	both := func(who string, err error) {
		t.Helper()
		if !errors.Is(err, envelope.ErrOtherKey) || !strings.Contains(err.Error(), keystest.MasterKey(1).ID()) || !strings.Contains(err.Error(), keystest.MasterKey(2).ID()) {
			t.Errorf("%s: got %v", who, err)
		}
	}
	c := keystest.Config(o.Store)
	c.Master = keystest.MasterKey(2)
	_, err := manage.New(t.Context(), c)
	both("a manager", err)
	_, err = ring.New(o.Load(t), keystest.MasterKey(2), nil)
	both("a ring", err)
	_, err = ring.Open(t.Context(), o.Store, keystest.MasterKey(2))
	both("a live ring", err)
}

// TestRaceOfTwoMasterKeys: two managers found the store empty; the second one's
// first act keystest.Must not seal under another key.
func TestRaceOfTwoMasterKeys(t *testing.T) {
	store := memstore.New()
	first := keystest.OfficeOn(t, store)
	c := keystest.Config(store)
	c.Master = keystest.MasterKey(2)
	second := keystest.Must(manage.New(t.Context(), c))
	first.AddProject(t, keystest.Alice)
	_, err := second.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: keystest.Bob})
	if !errors.Is(err, envelope.ErrOtherKey) || first.Load(t).Revision != 1 {
		t.Errorf("revision %d, %v", first.Load(t).Revision, err)
	}
}

// TestRecordUnderAnotherMasterKey stands in a store that is sealed under ours.
func TestRecordUnderAnotherMasterKey(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice)
	at := envelope.Place{Record: h.RecordName(), Field: "secrets", Version: 1}
	record := keystest.RecordOf(1, keystest.AsJSON(h), keystest.MasterKey(2).Seal(at, []byte(keystest.AsJSON(h)), []byte(keystest.AsJSON(h.Secrets()))))
	wantDamaged(t, "another master key", h.RecordName(), record)
	_, err := ring.New(keystest.Snapshot(map[string][]byte{h.RecordName(): record}), keystest.MasterKey(1), nil)
	if !errors.Is(err, envelope.ErrOtherKey) || !strings.Contains(err.Error(), keystest.MasterKey(2).ID()) {
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
		keystest.Put(t, store, "project/"+string(keystest.Alice), keystest.RecordFor(keystest.Alice).Record(1))
		if value != "" {
			keystest.Put(t, store, "seal", []byte(value))
		}
		_, err := manage.New(t.Context(), keystest.Config(store))
		_, ringErr := ring.Open(t.Context(), store, keystest.MasterKey(1))
		for _, err := range []error{err, ringErr} {
			if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), "record seal") || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s: got %v", how, err)
			}
		}
	}
}

// TestSealRecordLost after a manager was opened: it keystest.Must not seal anew.
func TestSealRecordLost(t *testing.T) {
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	if _, err := o.Store.Commit(t.Context(), 1, keys.Change{Name: "seal"}); err != nil {
		t.Fatal(err)
	}
	_, err := o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: keystest.Bob})
	if !errors.Is(err, keys.ErrDamaged) || o.Load(t).Revision != 2 {
		t.Errorf("revision %d, %v", o.Load(t).Revision, err)
	}
}
