// Package cores shares work out among the processors.
package cores

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// block is how many pieces a processor takes at once: a piece is some
// microseconds of work, and asking for more must not count beside it.
const block = 64

// Each does something with every number from 0 to n-1, on all processors at once
// and in no order, and returns when all is done. do is called concurrently. Few
// pieces are not worth a second processor: they are done one after the other.
func Each(n int, do func(i int)) {
	var next atomic.Int64
	work := func() {
		for {
			to := int(next.Add(block))
			if to-block >= n {
				return
			}
			for i := to - block; i < min(to, n); i++ {
				do(i)
			}
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+block-1)/block) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}

// Map is what of makes of every element of from, in their order.
func Map[From, To any](from []From, of func(From) To) []To {
	out := make([]To, len(from))
	Each(len(from), func(i int) { out[i] = of(from[i]) })
	return out
}

// Errors calls do for every element, as Each does, and returns what went wrong in
// the order of the elements.
func Errors[E any](of []E, do func(E) error) (failed []error) {
	for _, err := range Map(of, do) {
		if err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}
