package vault

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

// TestOurRecordsAreShownQuickly: the quick way takes what encode writes, and what
// it does not take is still read where it is genuine.
func TestOurRecordsAreShownQuickly(t *testing.T) {
	master, err := envelope.FromKeyFile(envelope.NewKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	made := NewProject(keys.Project{ASPID: "A00000000000001", Name: `with "quotes", ,"sealed":" and {`})
	made.AddCredential(keys.Credential{AccessKey: keys.AccessKey(strings.Repeat("k", keys.AccessKeyLen))}, sensitive.New([]byte("a secret")))
	value, err := encode(master, made)
	if err != nil {
		t.Fatal(err)
	}
	name := ProjectName(made.ASPID)
	if p, ok := showQuickly(master, name, value); !ok || p.Name != made.Name {
		t.Errorf("it is not taken: %s", value)
	}
	if o, ok := outlineOf(value); !ok {
		t.Errorf("it has no outline: %s", value)
	} else if r, ok := o.record(); !ok {
		t.Errorf("its outline is not taken: %s", value)
	} else if again, err := JSON(r); err != nil || !bytes.Equal(again, value) {
		t.Errorf("wrote %s, which toJSON writes as %s, %v", value, again, err)
	}
	for how, other := range map[string][]byte{
		"with blanks":     bytes.Replace(value, []byte(`,"plain":`), []byte(`, "plain": `), 1),
		"with a line end": append(bytes.Clone(value), '\n'),
	} {
		if _, ok := showQuickly(master, name, other); ok {
			t.Errorf("%s: it is taken", how)
		}
		if p, err := Show(master, name, other); err != nil || p.Name != made.Name {
			t.Errorf("%s: %v", how, err)
		}
	}
	if _, ok := showQuickly(master, "project/B00000000000001", value); ok {
		t.Error("it is taken under another name")
	}
}

// FuzzOutlineIsTheRecord: whatever is cut into a record is what a decoder makes of
// it, and has no other members.
func FuzzOutlineIsTheRecord(f *testing.F) {
	for _, text := range []string{
		`{"version":1,"plain":{"a":"b"},"sealed":"km1.00.AA-_"}`,
		`{"version":01,"plain":{},"sealed":"x"}`, `{"version":-1,"plain":{},"sealed":"x"}`, `{"version":99999999999999999999,"plain":{},"sealed":"x"}`,
		`{"version":1,"plain":{},"x":2,"sealed":"x"}`, `{"version":1,"plain":{},"plain":{"a":1},"sealed":"x"}`,
		`{"version":1,"plain":{},"sealed":"x","sealed":"y"}`, `{"version":1,"plain":{},"sealed":"x","z":"y"}`,
		`{"version":1,"plain":{ },"sealed":"x"}`, `{"version":1,"plain": {},"sealed":"x"}`, `{"version":1,"plain":null,"sealed":"x"}`,
		`{"version":1,"plain":{},"sealed":"\u0041"}`, "{\"version\":1,\"plain\":{},\"sealed\":\"\n\"}", "{\"version\":1,\"plain\":{},\"sealed\":\"\xff\"}",
		`{"version":1,"plain":{"p":",\"sealed\":\""},"sealed":"x"}`, `{"version":1,"plain":{},"sealed":"x"}}`, `{"version":1,"plain":{,"sealed":"x"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		o, ok := outlineOf(value)
		if !ok {
			return
		}
		got, ok := o.record()
		if !ok {
			return
		}
		var want record
		d := json.NewDecoder(bytes.NewReader(value))
		d.DisallowUnknownFields()
		if err := d.Decode(&want); err != nil || !json.Valid(value) {
			t.Fatalf("it is not a record: %v", err)
		}
		if got.Version != want.Version || got.Sealed != want.Sealed || !bytes.Equal(got.Plain, want.Plain) {
			t.Fatalf("got %+v, wanted %+v", got, want)
		}
	})
}
