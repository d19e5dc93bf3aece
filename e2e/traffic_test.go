package e2e_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// long tells whether the whole length of a test is wanted; CI runs a short form.
func long() bool { return os.Getenv("KMPROXY_LONG") != "" }

// traffic is calls that go on and on, each with a body of its own.
type traffic struct {
	name             string
	answered, failed atomic.Int64
	stop             context.CancelFunc
	workers          sync.WaitGroup
	first            atomic.Pointer[error] // failure
}

// send keeps workers of a provider calling until end.
func send(t *testing.T, name string, p *provider, workers int) *traffic {
	t.Helper()
	f := &traffic{name: name}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	for w := range workers {
		f.workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				f.note(p.ask(context.Background(), fmt.Sprintf("%s/%d/%d", name, w, i)))
			}
		})
	}
	t.Cleanup(func() { stop(); f.workers.Wait() })
	return f
}

func (f *traffic) note(err error) {
	if err == nil {
		f.answered.Add(1)
		return
	}
	f.failed.Add(1)
	f.first.CompareAndSwap(nil, &err)
}

// end stops the calls, wants none to have failed, and returns how many there were.
func (f *traffic) end(t *testing.T) int64 {
	t.Helper()
	f.stop()
	f.workers.Wait()
	if n := f.failed.Load(); n > 0 {
		t.Errorf("%s: %d of %d calls failed, first: %v", f.name, n, n+f.answered.Load(), *f.first.Load())
	}
	if f.answered.Load() == 0 {
		t.Errorf("%s: no call was made", f.name)
	}
	return f.answered.Load()
}
