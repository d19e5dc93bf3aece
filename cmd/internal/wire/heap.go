package wire

import (
	"runtime"
	"runtime/debug"
)

// The collector waits until there is a fifth as much garbage as heap, and the floor
// counts as heap. That is 13 MiB beside a small one, where Go's own 4 MiB are a few
// hundred requests and each collection makes BoringCrypto forget what it has prepared of
// the RSA keys; and beside a large one it is not the whole heap again, as Go's own 100 %.
const (
	heapFloor   = 64 << 20 // bytes
	heapPercent = 20
)

// newHeapFloor is memory that nobody touches, so that the system gives none for it.
// The percentage holds unless the environment names another.
func newHeapFloor(w World) []byte {
	if w.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapPercent)
	}
	return make([]byte, heapFloor)
}

// garbageMargin is how much garbage may lie beside what is reserved, in bytes.
const garbageMargin = 48 << 20

// limitHeap makes the collector work harder, instead of taking more memory from the
// system, when what callers reserve approaches its bound. What is there now, and the
// floor, are taken to be there for good. The limit holds unless the environment names
// another.
func limitHeap(w World, callers int64) {
	if w.Getenv("GOMEMLIMIT") != "" {
		return
	}
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	debug.SetMemoryLimit(int64(now.Sys-now.HeapReleased) + heapFloor + callers + garbageMargin)
}
