package keys_test

import (
	"fmt"
	"maps"
	"runtime"
	"testing"

	"kmproxy/keys"
)

const manyProjects = 5_000 // of two keys each

// manyKeys is a store's content of 10,000 keys under a handful of RSA keys: what
// is measured does not depend on their numbers.
func manyKeys(t testing.TB) keys.Snapshot {
	t.Helper()
	records := make(map[string][]byte, manyProjects)
	for i := range manyProjects {
		first, second := handKeyOf(i%5, "active"), handKeyOf((i+1)%5, "draining")
		first.ID, second.ID = keyID(2*i), keyID(2*i+1)
		h := hand(keys.ASPID(fmt.Sprintf("Many%011d", i)), first, second)
		records[h.name()] = h.record(1)
	}
	return snapshot(records)
}

// BenchmarkRing10k builds a ring from nothing, as a proxy does at its start.
func BenchmarkRing10k(b *testing.B) {
	s := manyKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		must(keys.NewRing(s, masterKey(1), nil))
	}
	b.ReportMetric(float64(heldBy(func() any { return must(keys.NewRing(s, masterKey(1), nil)) }))/(2*manyProjects), "held-B/key")
}

// heldBy measures the memory that what is made holds, beyond what was there.
func heldBy(make func() any) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	made := make()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(made)
	return after.HeapAlloc - before.HeapAlloc
}

// BenchmarkRing10kOneChanged builds the ring that follows a commit.
func BenchmarkRing10kOneChanged(b *testing.B) {
	s := manyKeys(b)
	before := must(keys.NewRing(s, masterKey(1), nil))
	changed := hand("Many00000000042", handKeyOf(0, "suspended"))
	next := keys.Snapshot{Revision: s.Revision + 1, Entries: maps.Clone(s.Entries)}
	next.Entries[changed.name()] = keys.Entry{Value: changed.record(2), Revision: next.Revision}
	b.ReportAllocs()
	for b.Loop() {
		must(keys.NewRing(next, masterKey(1), before))
	}
}

// BenchmarkLookUp is what a request asks of a ring, its key opened before.
func BenchmarkLookUp(b *testing.B) {
	r := must(keys.NewRing(manyKeys(b), masterKey(1), nil))
	access, id := accessKey("Many00000000042"), keyID(84)
	b.ReportAllocs()
	for b.Loop() {
		m, _ := r.ByAccessKey(access, recorded)
		key, _ := m.Key(id)
		must(m.Secret(access))
		must(key.Server())
		must(key.Client())
	}
}

// BenchmarkFirstUse opens a key that no request has used since its record changed.
func BenchmarkFirstUse(b *testing.B) {
	h := hand(alice, handKeyOf(0, "active"))
	s := snapshot(map[string][]byte{h.name(): h.record(1)})
	for b.Loop() {
		m, _ := must(keys.NewRing(s, masterKey(1), nil)).ByAccessKey(accessKey(alice), recorded)
		key, _ := m.Active()
		must(key.Server())
		must(key.Client())
	}
}

// BenchmarkCreateKey10k adds a key where 10,000 are, all of which it must prove.
func BenchmarkCreateKey10k(b *testing.B) {
	o := newOffice(b)
	s := manyKeys(b)
	changes := make([]keys.Change, 0, len(s.Entries))
	for name, e := range s.Entries {
		changes = append(changes, keys.Change{Name: name, Value: e.Value})
	}
	must(o.store.Commit(b.Context(), 0, changes...))
	for b.Loop() {
		if _, err := o.CreateKey(b.Context(), operator, newKey("Many00000000042", 0, 0)); err == nil {
			b.Fatal("its server pair is known")
		}
	}
}
