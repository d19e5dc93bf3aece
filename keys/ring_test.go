package keys_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"weak"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
)

// ringOf is the ring of projects made by hand.
func ringOf(t testing.TB, before *keys.Ring, projects ...handMade) *keys.Ring {
	t.Helper()
	records := map[string][]byte{}
	for _, h := range projects {
		records[h.name()] = h.record(1)
	}
	ring, err := keys.NewRing(snapshot(records), masterKey(1), before)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// member wants the project to be found.
func member(t testing.TB, r *keys.Ring, id keys.ASPID) *keys.Member {
	t.Helper()
	m, ok := r.ByAccessKey(accessKey(id), recorded)
	if !ok || m.ASPID() != id {
		t.Fatalf("project %s is not found", id)
	}
	return m
}

func TestEmptyRing(t *testing.T) {
	r, err := keys.NewRing(keys.Snapshot{}, masterKey(1), nil)
	if err != nil || r.Projects() != 0 || r.Revision() != 0 {
		t.Fatalf("got %v", err)
	}
	if _, ok := r.ByAccessKey("", recorded); ok {
		t.Error("something is found")
	}
}

func TestOtherEntriesAreLeftAlone(t *testing.T) {
	s := snapshot(map[string][]byte{"audit/1": []byte(`{}`), "projects": []byte(`1`), hand(alice).name(): hand(alice).record(1)})
	if r, err := keys.NewRing(s, masterKey(1), nil); err != nil || r.Projects() != 1 {
		t.Errorf("got %v", err)
	}
}

// TestMembersAreTakenOver where their record is the same to the byte.
func TestMembersAreTakenOver(t *testing.T) {
	mine, his := hand(alice, handKeyOf(0, "active")), hand(bob)
	records := map[string][]byte{mine.name(): mine.record(1), his.name(): his.record(1)}
	ring := func(before *keys.Ring) *keys.Ring {
		return must(keys.NewRing(snapshot(records), masterKey(1), before))
	}
	first := ring(nil)
	if second := ring(first); member(t, second, alice) != member(t, first, alice) || second == first {
		t.Error("an unchanged member is made anew")
	}
	mine.Keys[0].State = "suspended"
	records[mine.name()] = mine.record(2)
	changed := ring(first)
	if member(t, changed, bob) != member(t, first, bob) {
		t.Error("an unchanged member is made anew, because another one changed")
	}
	if _, active := member(t, changed, alice).Active(); active || member(t, changed, alice) == member(t, first, alice) {
		t.Error("a changed member is taken over")
	}
	delete(records, his.name())
	if gone := ring(changed); gone.Projects() != 1 {
		t.Error("a deleted project is taken over")
	} else if _, ok := gone.ByAccessKey(accessKey(bob), recorded); ok {
		t.Error("the access key of a deleted project is found")
	}
}

// TestOldCopiesAreLetGo: a store that reads everything anew may free what it read
// before, though the members that are taken over were made of that.
func TestOldCopiesAreLetGo(t *testing.T) {
	h := hand(alice, handKeyOf(0, "active"))
	record := h.record(1)
	read := bytes.Clone(record)
	freed := weak.Make(&read[0])
	first := must(keys.NewRing(snapshot(map[string][]byte{h.name(): read}), masterKey(1), nil))
	runtime.GC()
	if freed.Value() == nil {
		t.Fatal("the first copy is not in use")
	}
	second := must(keys.NewRing(snapshot(map[string][]byte{h.name(): record}), masterKey(1), first))
	runtime.GC()
	if freed.Value() != nil {
		t.Error("the first copy is still in use")
	}
	if key, ok := member(t, first, alice).Active(); !ok || member(t, second, alice) != member(t, first, alice) {
		t.Error("the member is made anew")
	} else if _, err := key.Server(); err != nil {
		t.Errorf("it opens no more: %v", err)
	}
}

// TestRestoredStore counts the revisions of an earlier time again: an entry may
// have the revision of another content.
func TestRestoredStore(t *testing.T) {
	mine := hand(alice, handKeyOf(0, "active"))
	before := ringOf(t, nil, mine)
	mine.Keys[0].State = "suspended"
	if after := ringOf(t, before, mine); after.Revision() != before.Revision() {
		t.Fatalf("the revisions are %d and %d", before.Revision(), after.Revision())
	} else if _, active := member(t, after, alice).Active(); active {
		t.Error("the key is active as before")
	}
}

// TestOtherMasterKeyTakesNothingOver: that a record opened under one key proves
// nothing of another.
func TestOtherMasterKeyTakesNothingOver(t *testing.T) {
	h := hand(alice)
	s := snapshot(map[string][]byte{h.name(): h.record(1)})
	before := must(keys.NewRing(s, masterKey(1), nil))
	s.Entries["seal"] = keys.Entry{Value: sealEntry(2), Revision: 10}
	if r, err := keys.NewRing(s, masterKey(2), before); r != nil || !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("got %v", err)
	}
}

// TestRingStays: a request keeps the ring it began with, whatever is committed.
func TestRingStays(t *testing.T) {
	o := handOffice(t, hand(alice, handKeyOf(0, "active")))
	r := must(keys.NewRing(o.load(t), masterKey(1), nil))
	m := member(t, r, alice)
	must(o.SuspendProject(t.Context(), operator, alice))
	o.addKey(t, alice, 1, 0)
	o.addProject(t, bob)
	later := must(keys.NewRing(o.load(t), masterKey(1), r))
	if later.Projects() != 2 || !member(t, later, alice).Suspended() {
		t.Error("the later ring does not show the later state")
	}
	if _, ok := m.Key(keyID(1)); ok || m.Suspended() || r.Projects() != 1 || member(t, r, alice) != m {
		t.Error("the ring changed")
	}
	key, _ := m.Active()
	if private, err := key.Server(); err != nil || !private.Public().RSA().Equal(&serverKey(0).PublicKey) {
		t.Errorf("what is opened later is another half, or %v", err)
	}
}

// TestEveryDamagedRecordIsNamed wants all of them at once, always in one order.
func TestEveryDamagedRecordIsNamed(t *testing.T) {
	records := map[string][]byte{"project/" + string(alice): hand(alice).record(1)}
	for _, last := range "123456789" {
		records["project/Damaged0000000"+string(last)] = []byte(`{}`)
	}
	_, first := keys.NewRing(snapshot(records), masterKey(1), nil)
	for range 5 {
		_, err := keys.NewRing(snapshot(records), masterKey(1), nil)
		if err == nil || err.Error() != first.Error() {
			t.Fatalf("got\n%v\nand before\n%v", err, first)
		}
	}
	for _, last := range "123456789" {
		if !strings.Contains(first.Error(), "Damaged0000000"+string(last)) {
			t.Errorf("%c is not named: %v", last, first)
		}
	}
	if strings.Contains(first.Error(), string(alice)) {
		t.Errorf("a record that opens is named: %v", first)
	}
}

// TestAccessKeyOfTwoProjects: a record put back from an earlier time opens, but
// nobody's requests may depend on chance.
func TestAccessKeyOfTwoProjects(t *testing.T) {
	mine, his := hand(alice), hand(bob)
	his.Credentials[0].AccessKey = accessKey(alice)
	for range 10 {
		ring, err := keys.NewRing(snapshot(map[string][]byte{mine.name(): mine.record(1), his.name(): his.record(1)}), masterKey(1), nil)
		if ring != nil || !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), mine.name()) || !strings.Contains(err.Error(), string(bob)) {
			t.Fatalf("got %v", err)
		}
	}
}

// TestDiscardedHalfIsLetGo: once a ring shows that a key was discarded, nothing leads
// to the forms of its private half that the ring before had made.
func TestDiscardedHalfIsLetGo(t *testing.T) {
	o := newOffice(t)
	access := o.addProject(t, alice).AccessKey
	id := o.addKey(t, alice, 1, keys.Staged).ID
	ring := must(keys.NewRing(o.load(t), masterKey(1), nil))
	half := openedHalf(t, ring, access, id)
	if _, err := o.DiscardKey(t.Context(), operator, id, true); err != nil {
		t.Fatal(err)
	}
	ring = must(keys.NewRing(o.load(t), masterKey(1), ring))
	for range 2 {
		runtime.GC()
	}
	if half.Value() != nil {
		t.Error("the discarded key's parsed half is still held")
	}
	runtime.KeepAlive(ring)
}

// openedHalf makes a ring parse a key's private half, and watches the key.
func openedHalf(t *testing.T, r *keys.Ring, access keys.AccessKey, id keys.KeyID) weak.Pointer[keys.RingKey] {
	t.Helper()
	m, ok := r.ByAccessKey(access, morning)
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
