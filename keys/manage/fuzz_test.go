package manage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"kmproxy/keys/ring"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

const goldenName = "project/Golden000000001"

// goldenRecord is a constant, because fuzzing takes several processes.
func goldenRecord(t testing.TB) []byte {
	t.Helper()
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(keystest.Must(os.ReadFile("testdata/golden.json")), &entries); err != nil || entries[goldenName] == nil {
		t.Fatalf("golden.json: %v", err)
	}
	return entries[goldenName]
}

// FuzzRecord: of all values, only the record itself opens, with blanks wherever
// JSON allows them.
func FuzzRecord(f *testing.F) {
	golden := goldenRecord(f)
	plainOf := func(value []byte) []byte {
		var r parsedRecord
		var compact bytes.Buffer
		if json.Unmarshal(value, &r) != nil || json.Compact(&compact, r.Plain) != nil {
			return nil
		}
		return compact.Bytes()
	}
	want := plainOf(golden)
	f.Add([]byte(golden))
	f.Add(bytes.Replace(golden, []byte(`"active"`), []byte(`"suspended"`), 1))
	f.Add([]byte(`{"version":18446744073709551615,"plain":{},"sealed":"km1.cec893b749e20c6f."}`))
	f.Add([]byte(`{"version":1,"plain":{"asp_id":"Golden000000001"}}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, value []byte) {
		s := keys.Snapshot{Revision: 1, Entries: map[string]keys.Entry{
			"seal": {Value: []byte(`{"key_id":"` + goldenKey().ID() + `"}`)}, goldenName: {Value: value}}}
		ring, err := ring.New(s, goldenKey(), nil)
		switch {
		case err == nil && (ring.Projects() != 1 || !bytes.Equal(plainOf(value), want)):
			t.Errorf("a record nobody sealed opens")
		case err != nil && (ring != nil || !errors.Is(err, keys.ErrDamaged)):
			t.Errorf("an error of another kind: %v", err)
		}
	})
}

// FuzzSealedRecord: whatever was sealed under the master key, by a program of any
// age, is read or refused, and an act that is accepted changes nothing else.
func FuzzSealedRecord(f *testing.F) {
	var r parsedRecord
	if err := json.Unmarshal(goldenRecord(f), &r); err != nil {
		f.Fatal(err)
	}
	var golden bytes.Buffer
	if err := json.Compact(&golden, r.Plain); err != nil {
		f.Fatal(err)
	}
	at := envelope.Place{Record: goldenName, Field: "secrets", Version: 7}
	hidden := keystest.Must(goldenKey().Open(at, golden.Bytes(), r.Sealed)).Expose()
	f.Add(golden.String(), string(hidden))
	f.Add(golden.String(), `{}`)
	f.Add(`{"asp_id":"Golden000000001","keys":[{"state":"active"}]}`, `null`)
	f.Add(`{"asp_id":"Golden000000001","credentials":[{"access_key":"x","expires_at":null}]}`, `{"secret_keys":{"x":"c2VjcmV0"}}`)
	f.Fuzz(func(t *testing.T, plain, hidden string) {
		if !json.Valid([]byte(plain)) {
			return
		}
		store := memstore.New()
		sealed := goldenKey().Seal(at, compact([]byte(plain)), []byte(hidden))
		keystest.Put(t, store, "seal", []byte(`{"key_id":"`+goldenKey().ID()+`"}`))
		if _, err := store.Commit(keystest.Background, 1, keys.Change{Name: goldenName, Value: keystest.RecordOf(7, plain, sealed)}); err != nil {
			return // no store takes it
		}
		c := keystest.Config(store)
		c.Master = goldenKey()
		m := keystest.Must(manage.New(keystest.Background, c))
		_, err := m.SuspendProject(keystest.Background, keystest.Operator, "Golden000000001")
		_, showErr := m.Project(keystest.Background, "Golden000000001")
		if err == nil && showErr != nil {
			t.Errorf("changed, and no longer shown: %v", showErr)
		}
		for _, err := range []error{err, showErr} {
			if err != nil && !errors.Is(err, keys.ErrDamaged) && !errors.Is(err, keys.ErrRefused) {
				t.Errorf("an error of another kind: %v", err)
			}
		}
	})
}

func compact(value []byte) []byte {
	var out bytes.Buffer
	_ = json.Compact(&out, value)
	return out.Bytes()
}
