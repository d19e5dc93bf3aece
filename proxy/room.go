package proxy

import (
	"math/bits"
	"sync"
)

// Memory is lent in powers of two, from 1 KiB to 16 MiB.
const (
	smallest = 10
	largest  = 24
)

// rooms is memory for bodies, which is used again. What comes back is zeroed first,
// so that no body outlives its request. It is safe for concurrent use.
type rooms [largest - smallest + 1]sync.Pool

// loan is memory and how much of it is used. Nobody can get at the rest.
type loan struct {
	room []byte
	used int
}

// roomFor returns how many bytes of memory are lent for n.
func roomFor(n int) int {
	size := max(bits.Len(uint(max(n, 1)-1)), smallest)
	if size > largest {
		return n
	}
	return 1 << size
}

// lend returns zeroed memory for n bytes.
func (r *rooms) lend(n int) loan {
	size := bits.Len(uint(roomFor(n)) - 1)
	if size > largest {
		return loan{make([]byte, n), n}
	}
	if room, ok := r[size-smallest].Get().(*[]byte); ok {
		return loan{*room, n}
	}
	return loan{make([]byte, 1<<size), n}
}

// giveBack takes what was lent. Nobody may look at it any more.
func (r *rooms) giveBack(l loan) {
	clear(l.room[:l.used])
	if size := bits.Len(uint(len(l.room) - 1)); len(l.room) == 1<<size && size <= largest {
		r[size-smallest].Put(&l.room)
	}
}
