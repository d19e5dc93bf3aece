package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/backup"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// sample is a backup of a store with two projects, one of which has a name that
// JSON encoders like to write in another way.
func sample(t *testing.T) (backup.Backup, envelope.Key) {
	t.Helper()
	master, err := envelope.FromKeyFile(envelope.NewKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	store := memstore.New()
	m, err := manage.New(t.Context(), manage.Config{Store: store, Master: master, MaxPerProject: 2})
	if err != nil {
		t.Fatal(err)
	}
	for id, name := range map[keys.ASPID]string{"000000000000001": "", "000000000000002": "<R&D>"} {
		if _, err := m.CreateProject(t.Context(), keys.Actor{Name: "test"}, manage.NewProject{ASPID: id, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	snap, err := store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	use := keys.Use{ASPID: "000000000000001", KeyID: "00", Direction: "request", Alg: "A", Requests: 7, LastUsed: noon}
	return backup.Backup{CreatedAt: noon, Store: snap, Uses: []keys.Use{use}}, master
}

func written(t *testing.T, b backup.Backup) string {
	t.Helper()
	var out bytes.Buffer
	if err := backup.Write(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRoundTrip(t *testing.T) {
	b, master := sample(t)
	got, err := backup.Read(strings.NewReader(written(t, b)))
	if err != nil {
		t.Fatal(err)
	}
	if !got.CreatedAt.Equal(noon) || got.Store.Revision != b.Store.Revision || !slices.Equal(got.Uses, b.Uses) {
		t.Errorf("got %+v", got)
	}
	if len(got.Store.Entries) != len(b.Store.Entries) {
		t.Errorf("%d records, want %d", len(got.Store.Entries), len(b.Store.Entries))
	}
	store := memstore.New()
	for name, e := range b.Store.Entries {
		if !bytes.Equal(got.Store.Entries[name].Value, e.Value) {
			t.Errorf("record %s is\n%s, was\n%s", name, got.Store.Entries[name].Value, e.Value)
		}
	}
	var changes []keys.Change
	for name, e := range got.Store.Entries {
		changes = append(changes, keys.Change{Name: name, Value: e.Value})
	}
	if _, err := store.Commit(context.Background(), 0, changes...); err != nil {
		t.Fatal(err)
	}
	m, err := manage.New(t.Context(), manage.Config{Store: store, Master: master, MaxPerProject: 2})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := m.VerifyAudit(t.Context()); n != 2 || err != nil {
		t.Errorf("the audit record: %d entries, %v", n, err)
	}
}

// closed is a text with a closing line that fits it, as a forger would write it.
func closed(lines []string) string {
	text := strings.Join(lines, "")
	sum := sha256.Sum256([]byte(text))
	return text + fmt.Sprintf("{\"end\":true,\"sha256\":%q}\n", hex.EncodeToString(sum[:]))
}

func TestWhatIsNoBackup(t *testing.T) {
	b, _ := sample(t)
	lines := strings.SplitAfter(strings.TrimSuffix(written(t, b), "\n"), "\n")
	lines[len(lines)-1] += "\n"
	top, last := lines[0], len(lines)-1 // then audit-key, two audit entries, two projects, seal, a use, the end
	content := lines[:last]
	without := func(i int) []string { return slices.Delete(slices.Clone(content), i, i+1) }
	swapped := slices.Clone(content)
	swapped[4], swapped[5] = swapped[5], swapped[4]
	edited := slices.Clone(content)
	edited[4] = strings.Replace(edited[4], "active", "suspended", 1)
	fewer := strings.Replace(top, `"records":6`, `"records":5`, 1)
	if fewer == top || edited[4] == content[4] {
		t.Fatal("the sample is another")
	}
	for what, c := range map[string]struct{ text, want string }{
		"nothing":                  {"", "it is empty"},
		"something else":           {"hello\n", "line 1: it is not the header of a backup"},
		"other JSON":               {"{}\n", "line 1: it is not the header of a backup"},
		"a later form":             {`{"kmproxy_backup":2}` + "\n", "a newer kmproxy wrote it"},
		"no closing line":          {strings.Join(content, ""), "truncated"},
		"cut within a line":        {strings.Join(content, "")[:len(strings.Join(content, ""))-9], "truncated"},
		"the last byte missing":    {strings.TrimSuffix(strings.Join(lines, ""), "\n"), "truncated"},
		"something behind":         {strings.Join(lines, "") + "{}\n", "behind the closing line"},
		"no JSON within":           {closed(append(slices.Clone(content), "hello\n")), "line 9: it is not a line of a backup"},
		"edited":                   {strings.Join(append(edited, lines[last]), ""), "line 9: the sum of the lines before is another"},
		"edited, sum too":          {closed(edited), "record project/000000000000001 is not the one that was last written"},
		"swapped":                  {closed(swapped), `record "project/000000000000001" stands behind "project/000000000000002": it was moved`},
		"twice":                    {closed(slices.Insert(slices.Clone(content), 4, content[4])), "stands here twice"},
		"a record missing":         {closed(without(4)), "there are 5 records before it, but the header says 6"},
		"missing, header too":      {closed(append([]string{fewer}, without(4)[1:]...)), "record project/000000000000001 is gone"},
		"an audit entry missing":   {closed(append([]string{fewer}, without(2)[1:]...)), "entry 1 is missing"},
		"a use missing":            {closed(without(7)), "there are 0 uses before it, but the header says 1"},
		"a record behind the uses": {closed(append(without(6), content[6])), "stands behind the uses"},
		"no seal record":           {closed(append([]string{fewer}, without(6)[1:]...)), "record seal: the store is damaged: it is missing"},
		"no records":               {closed([]string{`{"kmproxy_backup":1}` + "\n"}), "it holds nothing"},
	} {
		got, err := backup.Read(strings.NewReader(c.text))
		if !errors.Is(err, backup.ErrBad) || !strings.Contains(err.Error(), c.want) || got.Store.Entries != nil {
			t.Errorf("%s: got %v, want %q", what, err, c.want)
		}
	}
	if _, err := backup.Read(strings.NewReader(closed(edited))); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("an edited record with a sum that fits: %v", err)
	}
}

// TestEveryByteCounts: no single changed byte and no cut goes unnoticed.
func TestEveryByteCounts(t *testing.T) {
	b, _ := sample(t)
	text := []byte(written(t, b))
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if _, err := backup.Read(bytes.NewReader(changed)); !errors.Is(err, backup.ErrBad) {
			t.Errorf("byte %d of %d changed: %v", i, len(text), err)
		}
		if _, err := backup.Read(bytes.NewReader(text[:i])); !errors.Is(err, backup.ErrBad) {
			t.Errorf("cut after %d of %d bytes: %v", i, len(text), err)
		}
	}
}

type failing struct{ after int }

var errDisk = errors.New("no space left on device")

func (f *failing) Write(b []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errDisk
	}
	return len(b), nil
}

func TestWriteFails(t *testing.T) {
	b, _ := sample(t)
	for after := range 2 { // the content, the closing line
		if err := backup.Write(&failing{after}, b); !errors.Is(err, errDisk) {
			t.Errorf("after %d writes: %v", after, err)
		}
	}
	if err := backup.Write(&failing{2}, b); err != nil {
		t.Error(err)
	}
}
