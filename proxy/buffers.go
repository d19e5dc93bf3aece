package proxy

import (
	"math/bits"
	"sync"
)

// The sizes of buffers are powers of two, from 1 KiB to 16 MiB.
const (
	smallest = 10
	largest  = 24
)

// bufferPool is memory for bodies that is used again. What comes back is zeroed
// first, so that no body outlives its request. It is safe for concurrent use.
type bufferPool [largest - smallest + 1]sync.Pool

// buffer is memory and the number of its bytes that may be written to.
type buffer struct {
	bytes []byte
	used  int
}

// bufferSize returns the size of the buffer for n bytes.
func bufferSize(n int) int {
	size := max(bits.Len(uint(max(n, 1)-1)), smallest)
	if size > largest {
		return n
	}
	return 1 << size
}

// get returns zeroed memory for n bytes.
func (p *bufferPool) get(n int) buffer {
	size := bits.Len(uint(bufferSize(n)) - 1)
	if size > largest {
		return buffer{make([]byte, n), n}
	}
	if bytes, ok := p[size-smallest].Get().(*[]byte); ok {
		return buffer{*bytes, n}
	}
	return buffer{make([]byte, 1<<size), n}
}

// put takes a buffer back. Its memory must not be used any more.
func (p *bufferPool) put(b buffer) {
	clear(b.bytes[:b.used])
	if size := bits.Len(uint(len(b.bytes) - 1)); len(b.bytes) == 1<<size && size <= largest {
		p[size-smallest].Put(&b.bytes)
	}
}
