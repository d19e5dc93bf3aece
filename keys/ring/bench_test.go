package ring_test

import (
	"fmt"
	"maps"
	"runtime"
	"testing"

	"kmproxy/keys/ring"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
)

const manyProjects = 5_000 // of two keys each

// manyKeys is a store's content of 10,000 keys under a handful of RSA keys: what
// is measured does not depend on their numbers.
func manyKeys(t testing.TB) keys.Snapshot {
	t.Helper()
	records := make(map[string][]byte, manyProjects)
	for i := range manyProjects {
		first, second := keystest.KeyInRecord(i%5, "active"), keystest.KeyInRecord((i+1)%5, "draining")
		first.ID, second.ID = keystest.KeyID(2*i), keystest.KeyID(2*i+1)
		h := keystest.RecordFor(keys.ASPID(fmt.Sprintf("Many%011d", i)), first, second)
		records[h.RecordName()] = h.Record(1)
	}
	return keystest.Snapshot(records)
}

// BenchmarkRing10k builds a ring from nothing, as a proxy does at its start.
func BenchmarkRing10k(b *testing.B) {
	s := manyKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		keystest.Must(ring.New(s, keystest.MasterKey(1), nil))
	}
	b.ReportMetric(float64(heldBy(func() any { return keystest.Must(ring.New(s, keystest.MasterKey(1), nil)) }))/(2*manyProjects), "held-B/key")
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
	before := keystest.Must(ring.New(s, keystest.MasterKey(1), nil))
	changed := keystest.RecordFor("Many00000000042", keystest.KeyInRecord(0, "suspended"))
	next := keys.Snapshot{Revision: s.Revision + 1, Entries: maps.Clone(s.Entries)}
	next.Entries[changed.RecordName()] = keys.Entry{Value: changed.Record(2), Revision: next.Revision}
	b.ReportAllocs()
	for b.Loop() {
		keystest.Must(ring.New(next, keystest.MasterKey(1), before))
	}
}

// BenchmarkLookUp is what a request asks of a ring, its key opened before.
func BenchmarkLookUp(b *testing.B) {
	r := keystest.Must(ring.New(manyKeys(b), keystest.MasterKey(1), nil))
	access, id := keystest.AccessKey("Many00000000042"), keystest.KeyID(84)
	b.ReportAllocs()
	for b.Loop() {
		m, _ := r.ByAccessKey(access, keystest.Recorded)
		key, _ := m.Key(id)
		keystest.Must(m.Secret(access))
		keystest.Must(key.Server())
		keystest.Must(key.Client())
	}
}

// BenchmarkFirstUse opens a key that no request has used since its record changed.
func BenchmarkFirstUse(b *testing.B) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	s := keystest.Snapshot(map[string][]byte{h.RecordName(): h.Record(1)})
	for b.Loop() {
		m, _ := keystest.Must(ring.New(s, keystest.MasterKey(1), nil)).ByAccessKey(keystest.AccessKey(keystest.Alice), keystest.Recorded)
		key, _ := m.Active()
		keystest.Must(key.Server())
		keystest.Must(key.Client())
	}
}

// BenchmarkCreateKey10k adds a key where 10,000 are, all of which it keystest.Must prove.
func BenchmarkCreateKey10k(b *testing.B) {
	o := keystest.NewOffice(b)
	s := manyKeys(b)
	changes := make([]keys.Change, 0, len(s.Entries))
	for name, e := range s.Entries {
		changes = append(changes, keys.Change{Name: name, Value: e.Value})
	}
	keystest.Must(o.Store.Commit(b.Context(), 0, changes...))
	for b.Loop() {
		if _, err := o.CreateKey(b.Context(), keystest.Operator, keystest.NewKey("Many00000000042", 0, 0)); err == nil {
			b.Fatal("its server pair is known")
		}
	}
}
