package manage_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"kmproxy/keys/ring"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
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
	s := keystest.Snapshot(map[string][]byte{name: record})
	ring, err := ring.New(s, keystest.MasterKey(1), nil)
	named("ring", err)
	if ring != nil {
		t.Errorf("%s: there is a ring", how)
	}
	o := keystest.HandOffice(t)
	keystest.Put(t, o.Store, name, record)
	before := o.Load(t)
	_, err = o.Project(t.Context(), id)
	named("show", err)
	_, err = o.Projects(t.Context())
	named("list", err)
	_, err = o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: "Another00000001"})
	named("create beside it", err)
	for act, try := range changesOf(o, id) {
		named(act, try())
	}
	if after := o.Load(t); after.Revision != before.Revision {
		t.Errorf("%s: something was written", how)
	}
}

// TestEditedPlainPart edits what an attacker, or a well-meaning keystest.Operator, would.
func TestEditedPlainPart(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"), keystest.KeyInRecord(1, "suspended"))
	h.Keys[1].Algs = []string{"RSA-OAEP-256"}
	end := keystest.Recorded
	h.Credentials[0].ExpiresAt = &end
	h.State = "suspended"
	record := string(h.Record(4))
	edits := map[string][2]string{
		"project resumed":           {`"asp_id":"` + string(keystest.Alice) + `","state":"suspended"`, `"asp_id":"` + string(keystest.Alice) + `","state":"active"`},
		"key resumed":               {`00001","state":"suspended"`, `00001","state":"draining"`},
		"key discarded":             {`00001","state":"suspended"`, `00001","state":"discarded"`},
		"key of another case":       {string(keystest.KeyID(1)), strings.ToUpper(string(keystest.KeyID(1)))},
		"another key id":            {string(keystest.KeyID(1)), string(keystest.KeyID(7))},
		"an algorithm added":        {`["RSA-OAEP-256"]`, `["RSA-OAEP","RSA-OAEP-256"]`},
		"an algorithm taken":        {`["RSA-OAEP","RSA-OAEP-256"]`, `["RSA-OAEP"]`},
		"another client key":        {quoted(h.Keys[0].Client), quoted(keystest.ServerPEM(3))},
		"another server key":        {quoted(h.Keys[0].Server), quoted(keystest.ServerPEM(3))},
		"keys exchanged":            {string(keystest.KeyID(0)), string(keystest.KeyID(1))},
		"another access key":        {string(keystest.AccessKey(keystest.Alice)), string(keystest.AccessKey(keystest.Bob))},
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
		wantDamaged(t, how, h.RecordName(), []byte(edited))
	}
	wantReads(t, h.RecordName(), []byte(record))
}

func quoted(s string) string { return string(keystest.Must(json.Marshal(s))) }

func wantReads(t *testing.T, name string, record []byte) {
	t.Helper()
	if _, err := ring.New(keystest.Snapshot(map[string][]byte{name: record}), keystest.MasterKey(1), nil); err != nil {
		t.Fatalf("the record as it was: %v", err)
	}
}

// TestEveryChangedByte changes each byte of the plain and of the sealed part.
func TestEveryChangedByte(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	record := h.Record(4)
	start := strings.Index(string(record), `"plain":`) + len(`"plain":`)
	sealedName := strings.Index(string(record), `,"sealed":`)
	tried := 0
	for i := start; i < len(record)-2; i++ {
		if i >= sealedName && i < sealedName+len(`,"sealed":`) {
			continue // these bytes are the frame: a renamed member is as missing
		}
		changed := append([]byte(nil), record...)
		changed[i] ^= 1 << (i % 7)
		ring, err := ring.New(keystest.Snapshot(map[string][]byte{h.RecordName(): changed}), keystest.MasterKey(1), nil)
		if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), h.RecordName()) || ring != nil {
			t.Fatalf("byte %d (%q became %q): %v", i, record[i], changed[i], err)
		}
		tried++
	}
	if tried < 3000 {
		t.Errorf("only %d bytes were tried", tried)
	}
	wantReads(t, h.RecordName(), record)
}

// TestMovedParts copies whole records and their parts to where they do not belong
// (a copied or swapped record opens nowhere else).
func TestMovedParts(t *testing.T) {
	mine, his := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active")), keystest.RecordFor(keystest.Bob, keystest.KeyInRecord(1, "active"))
	sealedOf := func(record []byte) string {
		var r struct{ Sealed string }
		if err := json.Unmarshal(record, &r); err != nil {
			t.Fatal(err)
		}
		return r.Sealed
	}
	older, newer := mine, mine
	newer.Keys = []keystest.RecordKey{keystest.KeyInRecord(0, "suspended")}
	elsewhere := keystest.MasterKey(1).Seal(envelope.Place{Record: mine.RecordName(), Field: "other", Version: 4}, []byte(keystest.AsJSON(mine)), []byte(keystest.AsJSON(mine.Secrets())))
	for how, record := range map[string][]byte{
		"another project's record":              his.Record(4),
		"another project's record, relabelled":  []byte(strings.ReplaceAll(string(his.Record(4)), string(keystest.Bob), string(keystest.Alice))),
		"another project's sealed part":         keystest.RecordOf(4, keystest.AsJSON(mine), sealedOf(his.Record(4))),
		"another project's plain part":          keystest.RecordOf(4, keystest.AsJSON(his), sealedOf(mine.Record(4))),
		"a former sealed part":                  keystest.RecordOf(5, keystest.AsJSON(newer), sealedOf(older.Record(4))),
		"a former sealed part with its version": keystest.RecordOf(4, keystest.AsJSON(newer), sealedOf(older.Record(4))),
		"a former plain part":                   keystest.RecordOf(5, keystest.AsJSON(older), sealedOf(newer.Record(5))),
		"a former record as the next version":   keystest.RecordOf(5, keystest.AsJSON(older), sealedOf(older.Record(4))),
		"another field's sealed part":           keystest.RecordOf(4, keystest.AsJSON(mine), elsewhere),
		"no sealed part":                        keystest.RecordOf(4, keystest.AsJSON(mine), ""),
	} {
		wantDamaged(t, how, mine.RecordName(), record)
	}
	wantReads(t, mine.RecordName(), mine.Record(4))
}

// TestUnreadableRecords: whatever stands there, sealed by this very key or not.
func TestUnreadableRecords(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	name, plain, hidden := h.RecordName(), keystest.AsJSON(h), keystest.AsJSON(h.Secrets())
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
		"a wrong asp id":   {string(keystest.Alice), string(keystest.Bob)},
	} {
		edited := strings.Replace(plain, edit[0], edit[1], 1)
		if edited == plain {
			t.Fatalf("%s: there is nothing to edit", how)
		}
		wantDamaged(t, how, name, keystest.SealedRecord(name, 1, edited, hidden))
	}
}

// TestUnreadableSecrets: they show when they are first used.
func TestUnreadableSecrets(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	for how, hidden := range map[string]string{"no JSON": `hunter2hunter2`, "a list": `["hunter2"]`, "no base64": `{"secret_keys":{"a":"hunter2!"}}`} {
		record := keystest.SealedRecord(h.RecordName(), 1, keystest.AsJSON(h), hidden)
		m, ok := keystest.Must(ring.New(keystest.Snapshot(map[string][]byte{h.RecordName(): record}), keystest.MasterKey(1), nil)).ByAccessKey(keystest.AccessKey(keystest.Alice), keystest.Recorded)
		if !ok {
			t.Fatalf("%s: the project is not found", how)
		}
		key, _ := m.Active()
		_, err := m.Secret(keystest.AccessKey(keystest.Alice))
		_, keyErr := key.Server()
		o := keystest.HandOffice(t)
		keystest.Put(t, o.Store, h.RecordName(), record)
		_, actErr := o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice)
		for _, err := range []error{err, keyErr, actErr} {
			if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), h.RecordName()) || strings.Contains(err.Error(), "h'") || strings.Contains(err.Error(), "hunter") {
				t.Errorf("%s: got %v", how, err)
			}
		}
	}
}

// TestDamageStopsNoOtherProject: what one project's record says, no act on
// another asks; an emergency stop keystest.Must go through.
func TestDamageStopsNoOtherProject(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active")), keystest.RecordFor(keystest.Bob, keystest.KeyInRecord(1, "active")))
	keystest.Put(t, o.Store, "project/"+string(keystest.Bob), []byte(`{}`))
	keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
	if p := keystest.Must(o.Project(t.Context(), keystest.Alice)); !p.Suspended {
		t.Error("it is not suspended")
	}
	if key, err := o.Key(t.Context(), keystest.KeyID(0)); err != nil || key.ASPID != keystest.Alice {
		t.Errorf("key show: %v", err)
	}
	if _, err := o.Key(t.Context(), keystest.KeyID(1)); !errors.Is(err, keys.ErrDamaged) || errors.Is(err, keys.ErrNotFound) {
		t.Errorf("a key that may stand in the damaged record: %v", err)
	}
}

// TestClaimedKey: whoever edits one record to claim another's key does not keep
// the owner from it.
func TestClaimedKey(t *testing.T) {
	first, second := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(1, "active")), keystest.RecordFor(keystest.Bob, keystest.KeyInRecord(2, "active"))
	o := keystest.HandOffice(t, first, second)
	edited := strings.Replace(string(first.Record(1)), string(keystest.KeyID(1)), string(keystest.KeyID(2)), 1)
	keystest.Put(t, o.Store, first.RecordName(), []byte(edited))
	if key, err := o.Key(t.Context(), keystest.KeyID(2)); err != nil || key.ASPID != keystest.Bob {
		t.Errorf("got %+v, %v", key, err)
	}
	keystest.Put(t, o.Store, second.RecordName(), nil)
	if _, err := o.Key(t.Context(), keystest.KeyID(2)); !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), first.RecordName()) {
		t.Errorf("got %v", err)
	}
}

// TestHiddenKeyIsNotRegisteredTwice: what is new is decided on proven records.
func TestHiddenKeyIsNotRegisteredTwice(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Bob))
	keystest.Put(t, o.Store, keystest.RecordFor(keystest.Alice).RecordName(), keystest.RecordOf(1, keystest.AsJSON(keystest.RecordFor(keystest.Alice)), "km1."+keystest.MasterKey(1).ID()+".AAAA"))
	revision := o.Load(t).Revision
	_, err := o.CreateKey(t.Context(), keystest.Operator, keystest.NewKey(keystest.Bob, 0, 0))
	if !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), string(keystest.Alice)) || o.Load(t).Revision != revision {
		t.Errorf("got %v", err)
	}
}
