package manage_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"kmproxy/keys/ring"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

type parsedRecord struct {
	Version uint64
	Plain   json.RawMessage
	Sealed  string
}

func parsed(t *testing.T, o keystest.Office, name string) (r parsedRecord) {
	t.Helper()
	if err := json.Unmarshal(o.Load(t).Entries[name].Value, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func plainPart(t *testing.T, o keystest.Office, name string) string {
	t.Helper()
	return string(parsed(t, o, name).Plain)
}

// TestRecordsComeBack: what acts keystest.Put together is what is read, and what anybody
// else's JSON library would read.
func TestRecordsComeBack(t *testing.T) {
	o := keystest.NewOffice(t)
	for _, name := range []string{"", "ACME", "Bücher & <Töne>", `"quoted" \ back`, "한국 결제", "𝄞", strings.Repeat("x", keys.MaxNameLen)} {
		id := keys.ASPID("Name0000000000" + string(rune('A'+len(o.Load(t).Entries))))
		issued, err := o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: id, Name: name})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		want := keys.Project{ASPID: id, Name: name, CreatedAt: keystest.Recorded,
			Credentials: []keys.Credential{{AccessKey: issued.AccessKey, CreatedAt: keystest.Recorded}}}
		if got := keystest.Must(o.Project(t.Context(), id)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", name, got, want)
		}
	}
	o.AddProject(t, keystest.Alice)
	made := []keys.Key{o.AddKey(t, keystest.Alice, 0, 0), o.AddKey(t, keystest.Alice, 1, keys.Draining)}
	if got := keystest.Must(o.Keys(t.Context(), keystest.Alice)); !reflect.DeepEqual(got, made) {
		t.Errorf("got %+v, want %+v", got, made)
	}
}

// TestHandMadeRecordsComeBack: any record of the format is shown as it is and
// written as it was.
func TestHandMadeRecordsComeBack(t *testing.T) {
	end := keystest.Recorded.Add(time.Hour)
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "discarded"), keystest.KeyInRecord(1, "staged"), keystest.KeyInRecord(2, "active"), keystest.KeyInRecord(3, "draining"), keystest.KeyInRecord(4, "suspended"))
	h.Credentials = append(h.Credentials, keystest.RecordCredential{AccessKey: keystest.AccessKey(keystest.Bob), CreatedAt: keystest.Recorded, ExpiresAt: &end})
	h.Keys[2].Algs, h.Keys[2].Encs = []string{"RSA-OAEP"}, []string{"A128GCM"}
	o := keystest.HandOffice(t, h)
	p := keystest.Must(o.Project(t.Context(), keystest.Alice))
	for i, want := range []keys.State{keys.Discarded, keys.Staged, keys.Active, keys.Draining, keys.Suspended} {
		if k := p.Keys[i]; k.State != want || k.ID != keystest.KeyID(i) || k.ASPID != keystest.Alice || k.ServerPEM != h.Keys[i].Server {
			t.Errorf("key %d: got %+v", i, k)
		}
	}
	if active, ok := p.Active(); !ok || active.ID != keystest.KeyID(2) || p.Live() != 4 {
		t.Errorf("active is %s (%t), %d live", active.ID, ok, p.Live())
	}
	before := plainPart(t, o, h.RecordName())
	keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
	keystest.Must(o.ResumeProject(t.Context(), keystest.Operator, keystest.Alice))
	if after := plainPart(t, o, h.RecordName()); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	wantSecrets(t, o, h)
}

// wantSecrets opens every secret of a project through a new ring.
func wantSecrets(t *testing.T, o keystest.Office, h keystest.Record) {
	t.Helper()
	ring := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil))
	for access, want := range h.Secrets().SecretKeys {
		m, ok := ring.ByAccessKey(access, keystest.Recorded)
		if !ok {
			t.Fatalf("%s is not found", access)
		}
		if got, err := m.Secret(access); err != nil || !got.Equal(want) {
			t.Errorf("%s: another secret, or %v", access, err)
		}
	}
	m, _ := ring.ByAccessKey(keystest.AccessKey(h.ASPID), keystest.Recorded)
	for i, k := range h.Keys {
		key, _ := m.Key(k.ID)
		private, err := key.Server()
		switch {
		case k.State == "discarded" && !errors.Is(err, keys.ErrNotFound):
			t.Errorf("key %d is discarded: %v", i, err)
		case k.State != "discarded" && (err != nil || !private.Public().RSA().Equal(&keystest.ServerKey(i).PublicKey)):
			t.Errorf("key %d: another private half, or %v", i, err)
		}
	}
}

// TestReformattedRecordsOpen: blanks between tokens are no part of a record.
func TestReformattedRecordsOpen(t *testing.T) {
	o := keystest.NewOffice(t)
	if _, err := o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: keystest.Alice, Name: "<A & B>"}); err != nil {
		t.Fatal(err)
	}
	o.AddKey(t, keystest.Alice, 0, 0)
	value := o.Load(t).Entries["project/"+string(keystest.Alice)].Value
	if !bytes.Contains(value, []byte("<A & B>")) {
		t.Errorf("the name is escaped as no other program does it: %s", value)
	}
	for _, indent := range []string{"", " ", "\t", "\r\n\t "} {
		var out bytes.Buffer
		if err := json.Indent(&out, value, indent, indent); err != nil {
			t.Fatal(err)
		}
		ring, err := ring.New(keystest.Snapshot(map[string][]byte{"project/" + string(keystest.Alice): out.Bytes()}), keystest.MasterKey(1), nil)
		if err != nil || ring.Projects() != 1 {
			t.Fatalf("indented by %q: %v", indent, err)
		}
	}
}

// TestNewerRecordsAreNotOverwritten: an older program reads what it knows of a
// newer record, for a proxy keystest.Must see that a key was suspended; but it does not
// write a record whose other half it would lose.
func TestNewerRecordsAreNotOverwritten(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	plain, hidden := keystest.AsJSON(h), keystest.AsJSON(h.Secrets())
	for name, record := range map[string][]byte{
		"a member":       keystest.SealedRecord(h.RecordName(), 3, strings.Replace(plain, `{`, `{"quota":5,`, 1), hidden),
		"a key's member": keystest.SealedRecord(h.RecordName(), 3, strings.Replace(plain, `"algs"`, `"origin":"hsm","algs"`, 1), hidden),
		"a state":        keystest.SealedRecord(h.RecordName(), 3, strings.Replace(plain, `"state":"active"`, `"state":"frozen"`, 1), hidden),
		"a secret":       keystest.SealedRecord(h.RecordName(), 3, plain, strings.Replace(hidden, `{`, `{"pin":"MTIzNA==",`, 1)),
	} {
		o := keystest.HandOffice(t)
		keystest.Put(t, o.Store, h.RecordName(), record)
		revision := o.Load(t).Revision
		if _, err := o.Project(t.Context(), keystest.Alice); err != nil {
			t.Errorf("%s: not shown: %v", name, err)
		}
		m, ok := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil)).ByAccessKey(keystest.AccessKey(keystest.Alice), keystest.Recorded)
		if !ok || m.Suspended() != (name == "a state") {
			t.Errorf("%s: not in the ring, or its state is taken for another", name)
		}
		for act, try := range changesOf(o, keystest.Alice) {
			if err := try(); !errors.Is(err, keys.ErrRefused) || !strings.Contains(err.Error(), "newer") {
				t.Errorf("%s, %s: got %v", name, act, err)
			}
		}
		if now := o.Load(t).Revision; now != revision {
			t.Errorf("%s: revision %d became %d", name, revision, now)
		}
	}
}

// changesOf are all acts that write a project that is there.
func changesOf(o keystest.Office, id keys.ASPID) map[string]func() error {
	suspend := func() error { _, err := o.SuspendProject(keystest.Background, keystest.Operator, id); return err }
	create := func() error {
		_, err := o.CreateKey(keystest.Background, keystest.Operator, keystest.NewKey(id, 4, 0))
		return err
	}
	return map[string]func() error{"suspend": suspend, "create key": create}
}
