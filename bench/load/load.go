// Package load makes calls at a server and says how they went. It knows nothing of
// what is called.
package load

import (
	"slices"
	"sync"
	"time"
)

// Call makes the i-th call over the worker's connection. A worker makes one at a time.
type Call func(worker, i int) error

// Result is how calls went.
type Result struct {
	Calls   int
	Elapsed time.Duration
	Err     error           // the first; then the others were not made
	times   []time.Duration // of each call, sorted
}

// PerSecond is the throughput.
func (r Result) PerSecond() float64 { return float64(r.Calls) / r.Elapsed.Seconds() }

// Percentile is the time that p of 1 of all calls took at most.
func (r Result) Percentile(p float64) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	return r.times[min(int(p*float64(len(r.times))), len(r.times)-1)]
}

// Closed makes that many calls, each worker's next one when its last was answered.
func Closed(workers, calls int, call Call) Result {
	return run(workers, calls, call, func(int) time.Time { return time.Now() })
}

// Open makes calls at a fixed rate, whether or not those before were answered, as far
// as there are workers. A call that finds no worker counts from when it was due, so that
// what a stalled server keeps from being sent is not left out; any other from when it is
// made, for how late a sleeper wakes up is not the server's matter.
func Open(workers, calls int, perSecond float64, call Call) Result {
	begin, gap := time.Now(), time.Duration(float64(time.Second)/perSecond)
	return run(workers, calls, call, func(i int) time.Time {
		due := begin.Add(time.Duration(i) * gap)
		if early := time.Until(due); early > 0 {
			time.Sleep(early)
			return time.Now()
		}
		return due
	})
}

// run makes calls 0 to calls-1 in their order; due says from when on one counts.
func run(workers, calls int, call Call, due func(i int) time.Time) Result {
	var mu sync.Mutex
	next, out := 0, Result{times: make([]time.Duration, 0, min(calls, 1<<20))}
	take := func() (i int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		i = next
		next++
		return i, i < calls && out.Err == nil
	}
	begin := time.Now()
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				from := due(i)
				err := call(w, i)
				took := time.Since(from)
				mu.Lock()
				if err == nil {
					out.times = append(out.times, took)
				} else if out.Err == nil {
					out.Err = err
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	out.Elapsed, out.Calls = time.Since(begin), len(out.times)
	slices.Sort(out.times)
	return out
}
