package wire

// heapFloor is how much garbage a small heap may hold before it is collected, in
// bytes. Go's own 4 MiB are a few hundred requests; and each collection makes
// BoringCrypto forget what it has prepared of the RSA keys.
const heapFloor = 16 << 20

// newHeapFloor is memory that nobody touches, so that the system gives none for it.
// The collector waits until as much has become garbage. A heap that is larger anyway
// hardly notices it.
func newHeapFloor() []byte { return make([]byte, heapFloor) }
