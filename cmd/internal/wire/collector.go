package wire

import "runtime"

// Collector says how the garbage collector should run in a process that serves a
// Gateway.
type Collector struct {
	Percent    int   // garbage that may lie beside the heap before it is collected, of the heap
	FloorBytes int   // memory that is held and never touched, so that the percentage is of more than the heap
	LimitBytes int64 // of memory, from where on the collector works harder
}

// The collector waits until there is a fifth as much garbage as heap, and the floor
// counts as heap. That is 13 MiB beside a small one, where Go's own 4 MiB are a few
// hundred requests and each collection makes BoringCrypto forget what it has prepared of
// the RSA keys; and beside a large one it is not the whole heap again, as Go's own 100 %.
const (
	heapFloor     = 64 << 20 // bytes
	heapPercent   = 20
	garbageMargin = 48 << 20 // bytes of garbage that may lie beside what is reserved
)

// Collector returns how the collector should run from now on. The limit makes it work
// harder, instead of taking more memory from the system, when what callers reserve
// approaches its bound. It takes what the process uses now, and the floor, to be there
// until the end: call Collector once, after Build.
func (g *Gateway) Collector() Collector {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	used := int64(now.Sys - now.HeapReleased)
	return Collector{
		Percent:    heapPercent,
		FloorBytes: heapFloor,
		LimitBytes: used + heapFloor + g.config.Limits.BodyMemoryBytes + garbageMargin,
	}
}
