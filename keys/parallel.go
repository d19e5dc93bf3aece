package keys

import (
	"runtime"
	"sync"
)

// perWorker is from how many tasks on a second processor is worth its start.
const perWorker = 64

// inParallel does tasks 0 to n-1 on all processors and comes back when all are done.
func inParallel(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), 1+n/perWorker)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := n * w / workers; i < n*(w+1)/workers; i++ {
				do(i)
			}
		})
	}
	all.Wait()
}
