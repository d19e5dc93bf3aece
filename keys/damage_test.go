package keys_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
)

// wantDamaged wants a record refused wherever it is read, by name, and nothing
// written over it.
func wantDamaged(t *testing.T, how, name string, record []byte) {
	t.Helper()
	id := keys.ASPID(strings.TrimPrefix(name, "project/"))
	named := func(who string, err error) {
		if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s, %s: got %v", how, who, err)
		}
	}
	s := snapshot(map[string][]byte{name: record})
	ring, err := keys.NewRing(s, masterKey(1), nil)
	named("ring", err)
	if ring != nil {
		t.Errorf("%s: there is a ring", how)
	}
	o := handOffice(t)
	put(t, o.store, name, record)
	before := o.load(t)
	_, err = o.Project(t.Context(), id)
	named("show", err)
	_, err = o.Projects(t.Context())
	named("list", err)
	_, err = o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: "Another00000001"})
	named("create beside it", err)
	for act, try := range changesOf(o, id) {
		named(act, try())
	}
	if after := o.load(t); after.Revision != before.Revision {
		t.Errorf("%s: something was written", how)
	}
}

// TestEditedPlainPart edits what an attacker, or a well-meaning operator, would.
func TestEditedPlainPart(t *testing.T) {
	h := hand(alice, handKeyOf(0, "active"), handKeyOf(1, "suspended"))
	h.Keys[1].Algs = []string{"RSA-OAEP-256"}
	end := recorded
	h.Credentials[0].ExpiresAt = &end
	h.State = "suspended"
	record := string(h.record(4))
	edits := map[string][2]string{
		"project resumed":           {`"asp_id":"` + string(alice) + `","state":"suspended"`, `"asp_id":"` + string(alice) + `","state":"active"`},
		"key resumed":               {`00001","state":"suspended"`, `00001","state":"draining"`},
		"key discarded":             {`00001","state":"suspended"`, `00001","state":"discarded"`},
		"key of another case":       {string(keyID(1)), strings.ToUpper(string(keyID(1)))},
		"another key id":            {string(keyID(1)), string(keyID(7))},
		"an algorithm added":        {`["RSA-OAEP-256"]`, `["RSA-OAEP","RSA-OAEP-256"]`},
		"an algorithm taken":        {`["RSA-OAEP","RSA-OAEP-256"]`, `["RSA-OAEP"]`},
		"another client key":        {quoted(h.Keys[0].Client), quoted(serverPEM(3))},
		"another server key":        {quoted(h.Keys[0].Server), quoted(serverPEM(3))},
		"keys exchanged":            {string(keyID(0)), string(keyID(1))},
		"another access key":        {string(accessKey(alice)), string(accessKey(bob))},
		"an access key for ever":    {`,"expires_at":"2026-01-01T18:04:05Z"`, ``},
		"an access key for longer":  {`"expires_at":"2026`, `"expires_at":"2036`},
		"an earlier creation":       {`"created_at":"2026`, `"created_at":"2025`},
		"an earlier since":          {`"since":"2026`, `"since":"2025`},
		"a name":                    {`"state":"suspended","created_at"`, `"name":"x","state":"suspended","created_at"`},
		"a member more":             {`"plain":{`, `"plain":{"x":1,`},
		"a member twice":            {`"plain":{`, `"plain":{"state":"active",`},
		"another version":           {`"version":4`, `"version":5`},
		"an older version":          {`"version":4`, `"version":3`},
		"an escape for a character": {`"asp_id":"A`, `"asp_id":"\u0041`},
		"an escape for a slash":     {`-----BEGIN PUBLIC KEY-----\n`, `-----BEGIN PUBLIC KEY-----\u000a`},
	}
	for how, e := range edits {
		edited := strings.Replace(record, e[0], e[1], 1)
		if edited == record {
			t.Fatalf("%s: there is nothing to edit", how)
		}
		wantDamaged(t, how, h.name(), []byte(edited))
	}
	wantReads(t, h.name(), []byte(record))
}

func quoted(s string) string { return string(must(json.Marshal(s))) }

func wantReads(t *testing.T, name string, record []byte) {
	t.Helper()
	if _, err := keys.NewRing(snapshot(map[string][]byte{name: record}), masterKey(1), nil); err != nil {
		t.Fatalf("the record as it was: %v", err)
	}
}

// TestEveryChangedByte changes each byte of the plain and of the sealed part.
func TestEveryChangedByte(t *testing.T) {
	h := hand(alice, handKeyOf(0, "active"))
	record := h.record(4)
	start := strings.Index(string(record), `"plain":`) + len(`"plain":`)
	sealedName := strings.Index(string(record), `,"sealed":`)
	tried := 0
	for i := start; i < len(record)-2; i++ {
		if i >= sealedName && i < sealedName+len(`,"sealed":`) {
			continue // these bytes are the frame: a renamed member is as missing
		}
		changed := append([]byte(nil), record...)
		changed[i] ^= 1 << (i % 7)
		ring, err := keys.NewRing(snapshot(map[string][]byte{h.name(): changed}), masterKey(1), nil)
		if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), h.name()) || ring != nil {
			t.Fatalf("byte %d (%q became %q): %v", i, record[i], changed[i], err)
		}
		tried++
	}
	if tried < 3000 {
		t.Errorf("only %d bytes were tried", tried)
	}
	wantReads(t, h.name(), record)
}

// TestMovedParts copies whole records and their parts to where they do not belong
// (a copied or swapped record opens nowhere else).
func TestMovedParts(t *testing.T) {
	mine, his := hand(alice, handKeyOf(0, "active")), hand(bob, handKeyOf(1, "active"))
	sealedOf := func(record []byte) string {
		var r struct{ Sealed string }
		if err := json.Unmarshal(record, &r); err != nil {
			t.Fatal(err)
		}
		return r.Sealed
	}
	older, newer := mine, mine
	newer.Keys = []handKey{handKeyOf(0, "suspended")}
	elsewhere := masterKey(1).Seal(envelope.Place{Record: mine.name(), Field: "other", Version: 4}, []byte(asJSON(mine)), []byte(asJSON(mine.secrets())))
	for how, record := range map[string][]byte{
		"another project's record":              his.record(4),
		"another project's record, relabelled":  []byte(strings.ReplaceAll(string(his.record(4)), string(bob), string(alice))),
		"another project's sealed part":         recordOf(4, asJSON(mine), sealedOf(his.record(4))),
		"another project's plain part":          recordOf(4, asJSON(his), sealedOf(mine.record(4))),
		"a former sealed part":                  recordOf(5, asJSON(newer), sealedOf(older.record(4))),
		"a former sealed part with its version": recordOf(4, asJSON(newer), sealedOf(older.record(4))),
		"a former plain part":                   recordOf(5, asJSON(older), sealedOf(newer.record(5))),
		"a former record as the next version":   recordOf(5, asJSON(older), sealedOf(older.record(4))),
		"another field's sealed part":           recordOf(4, asJSON(mine), elsewhere),
		"no sealed part":                        recordOf(4, asJSON(mine), ""),
	} {
		wantDamaged(t, how, mine.name(), record)
	}
	wantReads(t, mine.name(), mine.record(4))
}

// TestUnreadableRecords: whatever stands there, sealed by this very key or not.
func TestUnreadableRecords(t *testing.T) {
	h := hand(alice, handKeyOf(0, "active"))
	name, plain, hidden := h.name(), asJSON(h), asJSON(h.secrets())
	for how, record := range map[string]string{
		"null": `null`, "a list": `[]`, "nothing in it": `{}`, "a number": `1`, "a text": `"x"`,
		"a negative version": `{"version":-1,"plain":` + plain + `,"sealed":"x"}`,
		"plain is null":      `{"version":1,"plain":null,"sealed":"x"}`,
		"plain is a text":    `{"version":1,"plain":"x","sealed":"x"}`,
		"sealed is a list":   `{"version":1,"plain":` + plain + `,"sealed":[]}`,
	} {
		wantDamaged(t, how, name, []byte(record))
	}
	for how, edit := range map[string][2]string{
		"an unknown state": {`"state":"active","created_at":"2026-01-01T18:04:05Z","since"`, `"state":"asleep","created_at":"2026-01-01T18:04:05Z","since"`},
		"an unknown alg":   {`["RSA-OAEP","RSA-OAEP-256"]`, `["RSA1_5"]`},
		"an alg twice":     {`["RSA-OAEP","RSA-OAEP-256"]`, `["RSA-OAEP","RSA-OAEP"]`},
		"no alg":           {`["RSA-OAEP","RSA-OAEP-256"]`, `[]`},
		"no enc":           {`["A128GCM","A256GCM"]`, `[]`},
		"a wrong asp id":   {string(alice), string(bob)},
	} {
		edited := strings.Replace(plain, edit[0], edit[1], 1)
		if edited == plain {
			t.Fatalf("%s: there is nothing to edit", how)
		}
		wantDamaged(t, how, name, sealedRecord(name, 1, edited, hidden))
	}
}

// TestUnreadableSecrets: they show when they are first used.
func TestUnreadableSecrets(t *testing.T) {
	h := hand(alice, handKeyOf(0, "active"))
	for how, hidden := range map[string]string{"no JSON": `hunter2hunter2`, "a list": `["hunter2"]`, "no base64": `{"secret_keys":{"a":"hunter2!"}}`} {
		record := sealedRecord(h.name(), 1, asJSON(h), hidden)
		m, ok := must(keys.NewRing(snapshot(map[string][]byte{h.name(): record}), masterKey(1), nil)).ByAccessKey(accessKey(alice), recorded)
		if !ok {
			t.Fatalf("%s: the project is not found", how)
		}
		key, _ := m.Active()
		_, err := m.Secret(accessKey(alice))
		_, keyErr := key.Server()
		o := handOffice(t)
		put(t, o.store, h.name(), record)
		_, actErr := o.SuspendProject(t.Context(), operator, alice)
		for _, err := range []error{err, keyErr, actErr} {
			if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), h.name()) || strings.Contains(err.Error(), "h'") || strings.Contains(err.Error(), "hunter") {
				t.Errorf("%s: got %v", how, err)
			}
		}
	}
}

// TestDamageStopsNoOtherProject: what one project's record says, no act on
// another asks; an emergency stop must go through.
func TestDamageStopsNoOtherProject(t *testing.T) {
	o := handOffice(t, hand(alice, handKeyOf(0, "active")), hand(bob, handKeyOf(1, "active")))
	put(t, o.store, "project/"+string(bob), []byte(`{}`))
	must(o.SuspendProject(t.Context(), operator, alice))
	if p := must(o.Project(t.Context(), alice)); !p.Suspended {
		t.Error("it is not suspended")
	}
	if key, err := o.Key(t.Context(), keyID(0)); err != nil || key.ASPID != alice {
		t.Errorf("key show: %v", err)
	}
	if _, err := o.Key(t.Context(), keyID(1)); !errors.Is(err, keys.ErrDamaged) || errors.Is(err, keys.ErrNotFound) {
		t.Errorf("a key that may stand in the damaged record: %v", err)
	}
}

// TestClaimedKey: whoever edits one record to claim another's key does not keep
// the owner from it.
func TestClaimedKey(t *testing.T) {
	first, second := hand(alice, handKeyOf(1, "active")), hand(bob, handKeyOf(2, "active"))
	o := handOffice(t, first, second)
	edited := strings.Replace(string(first.record(1)), string(keyID(1)), string(keyID(2)), 1)
	put(t, o.store, first.name(), []byte(edited))
	if key, err := o.Key(t.Context(), keyID(2)); err != nil || key.ASPID != bob {
		t.Errorf("got %+v, %v", key, err)
	}
	put(t, o.store, second.name(), nil)
	if _, err := o.Key(t.Context(), keyID(2)); !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), first.name()) {
		t.Errorf("got %v", err)
	}
}

// TestHiddenKeyIsNotRegisteredTwice: what is new is decided on proven records.
func TestHiddenKeyIsNotRegisteredTwice(t *testing.T) {
	o := handOffice(t, hand(bob))
	put(t, o.store, hand(alice).name(), recordOf(1, asJSON(hand(alice)), "km1."+masterKey(1).ID()+".AAAA"))
	revision := o.load(t).Revision
	_, err := o.CreateKey(t.Context(), operator, newKey(bob, 0, 0))
	if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), string(alice)) || o.load(t).Revision != revision {
		t.Errorf("got %v", err)
	}
}
