package keys_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"kmproxy/keys"
)

type parsedRecord struct {
	Version uint64
	Plain   json.RawMessage
	Sealed  string
}

func parsed(t *testing.T, o office, name string) (r parsedRecord) {
	t.Helper()
	if err := json.Unmarshal(o.load(t).Entries[name].Value, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func plainPart(t *testing.T, o office, name string) string {
	t.Helper()
	return string(parsed(t, o, name).Plain)
}

// TestRecordsComeBack: what acts put together is what is read, and what anybody
// else's JSON library would read.
func TestRecordsComeBack(t *testing.T) {
	o := newOffice(t)
	for _, name := range []string{"", "ACME", "Bücher & <Töne>", `"quoted" \ back`, "한국 결제", "𝄞", strings.Repeat("x", keys.MaxNameLen)} {
		id := keys.ASPID("Name0000000000" + string(rune('A'+len(o.load(t).Entries))))
		issued, err := o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: id, Name: name})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		want := keys.Project{ASPID: id, Name: name, CreatedAt: recorded,
			Credentials: []keys.Credential{{AccessKey: issued.AccessKey, CreatedAt: recorded}}}
		if got := must(o.Project(t.Context(), id)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", name, got, want)
		}
	}
	o.addProject(t, alice)
	made := []keys.Key{o.addKey(t, alice, 0, 0), o.addKey(t, alice, 1, keys.Draining)}
	if got := must(o.Keys(t.Context(), alice)); !reflect.DeepEqual(got, made) {
		t.Errorf("got %+v, want %+v", got, made)
	}
}

// TestHandMadeRecordsComeBack: any record of the format is shown as it is and
// written as it was.
func TestHandMadeRecordsComeBack(t *testing.T) {
	end := recorded.Add(time.Hour)
	h := hand(alice, handKeyOf(0, "discarded"), handKeyOf(1, "staged"), handKeyOf(2, "active"), handKeyOf(3, "draining"), handKeyOf(4, "suspended"))
	h.Credentials = append(h.Credentials, handCredential{AccessKey: accessKey(bob), CreatedAt: recorded, ExpiresAt: &end})
	h.Keys[2].Algs, h.Keys[2].Encs = []string{"RSA-OAEP"}, []string{"A128GCM"}
	o := handOffice(t, h)
	p := must(o.Project(t.Context(), alice))
	for i, want := range []keys.State{keys.Discarded, keys.Staged, keys.Active, keys.Draining, keys.Suspended} {
		if k := p.Keys[i]; k.State != want || k.ID != keyID(i) || k.ASPID != alice || k.ServerPEM != h.Keys[i].Server {
			t.Errorf("key %d: got %+v", i, k)
		}
	}
	if active, ok := p.Active(); !ok || active.ID != keyID(2) || p.Live() != 4 {
		t.Errorf("active is %s (%t), %d live", active.ID, ok, p.Live())
	}
	before := plainPart(t, o, h.name())
	must(o.SuspendProject(t.Context(), operator, alice))
	must(o.ResumeProject(t.Context(), operator, alice))
	if after := plainPart(t, o, h.name()); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	wantSecrets(t, o, h)
}

// wantSecrets opens every secret of a project through a new ring.
func wantSecrets(t *testing.T, o office, h handMade) {
	t.Helper()
	ring := must(keys.NewRing(o.load(t), masterKey(1), nil))
	for access, want := range h.secrets().SecretKeys {
		m, ok := ring.ByAccessKey(access, recorded)
		if !ok {
			t.Fatalf("%s is not found", access)
		}
		if got, err := m.Secret(access); err != nil || !got.Equal(want) {
			t.Errorf("%s: another secret, or %v", access, err)
		}
	}
	m, _ := ring.ByAccessKey(accessKey(h.ASPID), recorded)
	for i, k := range h.Keys {
		key, _ := m.Key(k.ID)
		private, err := key.Server()
		switch {
		case k.State == "discarded" && !errors.Is(err, keys.ErrNotFound):
			t.Errorf("key %d is discarded: %v", i, err)
		case k.State != "discarded" && (err != nil || !private.Public().RSA().Equal(&serverKey(i).PublicKey)):
			t.Errorf("key %d: another private half, or %v", i, err)
		}
	}
}

// TestReformattedRecordsOpen: blanks between tokens are no part of a record.
func TestReformattedRecordsOpen(t *testing.T) {
	o := newOffice(t)
	if _, err := o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: alice, Name: "<A & B>"}); err != nil {
		t.Fatal(err)
	}
	o.addKey(t, alice, 0, 0)
	value := o.load(t).Entries["project/"+string(alice)].Value
	if !bytes.Contains(value, []byte("<A & B>")) {
		t.Errorf("the name is escaped as no other program does it: %s", value)
	}
	for _, indent := range []string{"", " ", "\t", "\r\n\t "} {
		var out bytes.Buffer
		if err := json.Indent(&out, value, indent, indent); err != nil {
			t.Fatal(err)
		}
		ring, err := keys.NewRing(snapshot(map[string][]byte{"project/" + string(alice): out.Bytes()}), masterKey(1), nil)
		if err != nil || ring.Projects() != 1 {
			t.Fatalf("indented by %q: %v", indent, err)
		}
	}
}

// TestNewerRecordsAreNotOverwritten: an older program reads what it knows of a
// newer record, for a proxy must see that a key was suspended; but it does not
// write a record whose other half it would lose.
func TestNewerRecordsAreNotOverwritten(t *testing.T) {
	h := hand(alice, handKeyOf(0, "active"))
	plain, hidden := asJSON(h), asJSON(h.secrets())
	for name, record := range map[string][]byte{
		"a member":       sealedRecord(h.name(), 3, strings.Replace(plain, `{`, `{"quota":5,`, 1), hidden),
		"a key's member": sealedRecord(h.name(), 3, strings.Replace(plain, `"algs"`, `"origin":"hsm","algs"`, 1), hidden),
		"a state":        sealedRecord(h.name(), 3, strings.Replace(plain, `"state":"active"`, `"state":"frozen"`, 1), hidden),
		"a secret":       sealedRecord(h.name(), 3, plain, strings.Replace(hidden, `{`, `{"pin":"MTIzNA==",`, 1)),
	} {
		o := handOffice(t)
		put(t, o.store, h.name(), record)
		revision := o.load(t).Revision
		if _, err := o.Project(t.Context(), alice); err != nil {
			t.Errorf("%s: not shown: %v", name, err)
		}
		m, ok := must(keys.NewRing(o.load(t), masterKey(1), nil)).ByAccessKey(accessKey(alice), recorded)
		if !ok || m.Suspended() != (name == "a state") {
			t.Errorf("%s: not in the ring, or its state is taken for another", name)
		}
		for act, try := range changesOf(o, alice) {
			if err := try(); !errors.Is(err, keys.ErrRefused) || !strings.Contains(err.Error(), "newer") {
				t.Errorf("%s, %s: got %v", name, act, err)
			}
		}
		if now := o.load(t).Revision; now != revision {
			t.Errorf("%s: revision %d became %d", name, revision, now)
		}
	}
}

// changesOf are all acts that write a project that is there.
func changesOf(o office, id keys.ASPID) map[string]func() error {
	suspend := func() error { _, err := o.SuspendProject(bg, operator, id); return err }
	create := func() error { _, err := o.CreateKey(bg, operator, newKey(id, 4, 0)); return err }
	return map[string]func() error{"suspend": suspend, "create key": create}
}
