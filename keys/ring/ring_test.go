package ring_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"weak"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/ring"
)

// ringOf is the ring of projects made by keystest.RecordFor.
func ringOf(t testing.TB, before *ring.Ring, projects ...keystest.Record) *ring.Ring {
	t.Helper()
	records := map[string][]byte{}
	for _, h := range projects {
		records[h.RecordName()] = h.Record(1)
	}
	shown, err := ring.New(keystest.Snapshot(records), keystest.MasterKey(1), before)
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

// member wants the project to be found.
func member(t testing.TB, r *ring.Ring, id keys.ASPID) *ring.Member {
	t.Helper()
	m, ok := r.ByAccessKey(keystest.AccessKey(id), keystest.Recorded)
	if !ok || m.ASPID() != id {
		t.Fatalf("project %s is not found", id)
	}
	return m
}

func TestEmptyRing(t *testing.T) {
	r, err := ring.New(keys.Snapshot{}, keystest.MasterKey(1), nil)
	if err != nil || r.Projects() != 0 || r.Revision() != 0 {
		t.Fatalf("got %v", err)
	}
	if _, ok := r.ByAccessKey("", keystest.Recorded); ok {
		t.Error("something is found")
	}
}

func TestOtherEntriesAreLeftAlone(t *testing.T) {
	s := keystest.Snapshot(map[string][]byte{"audit/1": []byte(`{}`), "projects": []byte(`1`), keystest.RecordFor(keystest.Alice).RecordName(): keystest.RecordFor(keystest.Alice).Record(1)})
	if r, err := ring.New(s, keystest.MasterKey(1), nil); err != nil || r.Projects() != 1 {
		t.Errorf("got %v", err)
	}
}

// TestMembersAreTakenOver where their record is the same to the byte.
func TestMembersAreTakenOver(t *testing.T) {
	mine, his := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active")), keystest.RecordFor(keystest.Bob)
	records := map[string][]byte{mine.RecordName(): mine.Record(1), his.RecordName(): his.Record(1)}
	shown := func(before *ring.Ring) *ring.Ring {
		return keystest.Must(ring.New(keystest.Snapshot(records), keystest.MasterKey(1), before))
	}
	first := shown(nil)
	if second := shown(first); member(t, second, keystest.Alice) != member(t, first, keystest.Alice) || second == first {
		t.Error("an unchanged member is made anew")
	}
	mine.Keys[0].State = "suspended"
	records[mine.RecordName()] = mine.Record(2)
	changed := shown(first)
	if member(t, changed, keystest.Bob) != member(t, first, keystest.Bob) {
		t.Error("an unchanged member is made anew, because another one changed")
	}
	if _, active := member(t, changed, keystest.Alice).Active(); active || member(t, changed, keystest.Alice) == member(t, first, keystest.Alice) {
		t.Error("a changed member is taken over")
	}
	delete(records, his.RecordName())
	if gone := shown(changed); gone.Projects() != 1 {
		t.Error("a deleted project is taken over")
	} else if _, ok := gone.ByAccessKey(keystest.AccessKey(keystest.Bob), keystest.Recorded); ok {
		t.Error("the access key of a deleted project is found")
	}
}

// TestOldCopiesAreLetGo: a store that reads everything anew may free what it read
// before, though the members that are taken over were made of that.
func TestOldCopiesAreLetGo(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	record := h.Record(1)
	read := bytes.Clone(record)
	freed := weak.Make(&read[0])
	first := keystest.Must(ring.New(keystest.Snapshot(map[string][]byte{h.RecordName(): read}), keystest.MasterKey(1), nil))
	runtime.GC()
	if freed.Value() == nil {
		t.Fatal("the first copy is not in use")
	}
	second := keystest.Must(ring.New(keystest.Snapshot(map[string][]byte{h.RecordName(): record}), keystest.MasterKey(1), first))
	runtime.GC()
	if freed.Value() != nil {
		t.Error("the first copy is still in use")
	}
	if key, ok := member(t, first, keystest.Alice).Active(); !ok || member(t, second, keystest.Alice) != member(t, first, keystest.Alice) {
		t.Error("the member is made anew")
	} else if _, err := key.Server(); err != nil {
		t.Errorf("it opens no more: %v", err)
	}
}

// TestRestoredStore counts the revisions of an earlier time again: an entry may
// have the revision of another content.
func TestRestoredStore(t *testing.T) {
	mine := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	before := ringOf(t, nil, mine)
	mine.Keys[0].State = "suspended"
	if after := ringOf(t, before, mine); after.Revision() != before.Revision() {
		t.Fatalf("the revisions are %d and %d", before.Revision(), after.Revision())
	} else if _, active := member(t, after, keystest.Alice).Active(); active {
		t.Error("the key is active as before")
	}
}

// TestOtherMasterKeyTakesNothingOver: that a record opened under one key proves
// nothing of another.
func TestOtherMasterKeyTakesNothingOver(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice)
	s := keystest.Snapshot(map[string][]byte{h.RecordName(): h.Record(1)})
	before := keystest.Must(ring.New(s, keystest.MasterKey(1), nil))
	s.Entries["seal"] = keys.Entry{Value: keystest.SealEntry(2), Revision: 10}
	if r, err := ring.New(s, keystest.MasterKey(2), before); r != nil || !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("got %v", err)
	}
}

// TestRingStays: a request keeps the ring it began with, whatever is committed.
func TestRingStays(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active")))
	r := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil))
	m := member(t, r, keystest.Alice)
	keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
	o.AddKey(t, keystest.Alice, 1, 0)
	o.AddProject(t, keystest.Bob)
	later := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), r))
	if later.Projects() != 2 || !member(t, later, keystest.Alice).Suspended() {
		t.Error("the later ring does not show the later state")
	}
	if _, ok := m.Key(keystest.KeyID(1)); ok || m.Suspended() || r.Projects() != 1 || member(t, r, keystest.Alice) != m {
		t.Error("the ring changed")
	}
	key, _ := m.Active()
	if private, err := key.Server(); err != nil || !private.Public().RSA().Equal(&keystest.ServerKey(0).PublicKey) {
		t.Errorf("what is opened later is another half, or %v", err)
	}
}

// TestEveryDamagedRecordIsNamed wants all of them at once, always in one order.
func TestEveryDamagedRecordIsNamed(t *testing.T) {
	records := map[string][]byte{"project/" + string(keystest.Alice): keystest.RecordFor(keystest.Alice).Record(1)}
	for _, last := range "123456789" {
		records["project/Damaged0000000"+string(last)] = []byte(`{}`)
	}
	_, first := ring.New(keystest.Snapshot(records), keystest.MasterKey(1), nil)
	for range 5 {
		_, err := ring.New(keystest.Snapshot(records), keystest.MasterKey(1), nil)
		if err == nil || err.Error() != first.Error() {
			t.Fatalf("got\n%v\nand before\n%v", err, first)
		}
	}
	for _, last := range "123456789" {
		if !strings.Contains(first.Error(), "Damaged0000000"+string(last)) {
			t.Errorf("%c is not named: %v", last, first)
		}
	}
	if strings.Contains(first.Error(), string(keystest.Alice)) {
		t.Errorf("a record that opens is named: %v", first)
	}
}

// TestAccessKeyOfTwoProjects: a record keystest.Put back from an earlier time opens, but
// nobody's requests may depend on chance.
func TestAccessKeyOfTwoProjects(t *testing.T) {
	mine, his := keystest.RecordFor(keystest.Alice), keystest.RecordFor(keystest.Bob)
	his.Credentials[0].AccessKey = keystest.AccessKey(keystest.Alice)
	for range 10 {
		shown, err := ring.New(keystest.Snapshot(map[string][]byte{mine.RecordName(): mine.Record(1), his.RecordName(): his.Record(1)}), keystest.MasterKey(1), nil)
		if shown != nil || !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), mine.RecordName()) || !strings.Contains(err.Error(), string(keystest.Bob)) {
			t.Fatalf("got %v", err)
		}
	}
}

// TestDiscardedHalfIsLetGo: once a shown shows that a key was discarded, nothing leads
// to the forms of its private half that the shown before had made.
func TestDiscardedHalfIsLetGo(t *testing.T) {
	o := keystest.NewOffice(t)
	access := o.AddProject(t, keystest.Alice).AccessKey
	id := o.AddKey(t, keystest.Alice, 1, keys.Staged).ID
	shown := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil))
	half := openedHalf(t, shown, access, id)
	if _, err := o.DiscardKey(t.Context(), keystest.Operator, id, true); err != nil {
		t.Fatal(err)
	}
	shown = keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), shown))
	for range 2 {
		runtime.GC()
	}
	if half.Value() != nil {
		t.Error("the discarded key's parsed half is still held")
	}
	runtime.KeepAlive(shown)
}

// openedHalf makes a shown parse a key's private half, and watches the key.
func openedHalf(t *testing.T, r *ring.Ring, access keys.AccessKey, id keys.KeyID) weak.Pointer[ring.Key] {
	t.Helper()
	m, ok := r.ByAccessKey(access, keystest.Morning)
	if !ok {
		t.Fatal("the project is not found")
	}
	key, ok := m.Key(id)
	if !ok {
		t.Fatal("the key is not found")
	}
	if _, err := key.Server(); err != nil {
		t.Fatal(err)
	}
	return weak.Make(key)
}
