package proxy

import (
	"math/bits"
	"sync"
)

// Memory is lent in powers of two, from 4 KiB to 16 MiB.
const (
	smallest = 12
	largest  = 24
)

// rooms is memory for bodies, which is used again. What comes back is zeroed first,
// so that no body outlives its request. It is safe for concurrent use.
type rooms [largest - smallest + 1]sync.Pool

// lend returns zeroed memory of n bytes or more.
func (r *rooms) lend(n int) []byte {
	size := max(bits.Len(uint(max(n, 1)-1)), smallest)
	if size > largest {
		return make([]byte, n)
	}
	if room, ok := r[size-smallest].Get().(*[]byte); ok {
		return *room
	}
	return make([]byte, 1<<size)
}

// giveBack takes what was lent. Nobody may look at it any more.
func (r *rooms) giveBack(room []byte) {
	clear(room)
	if size := bits.Len(uint(len(room) - 1)); len(room) == 1<<size && size <= largest {
		r[size-smallest].Put(&room)
	}
}
