package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy/queue"
)

const wait = time.Second

// office is a queue in fake time, and who got a place, in that order.
type office struct {
	*queue.Queue
	mu     sync.Mutex
	served []string
	failed map[string]error
	leave  []func()
}

func inFakeTime(t *testing.T, places, depth int, test func(t *testing.T, o *office)) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{Queue: queue.New(queue.Config{Places: places, Depth: depth, Wait: wait}), failed: map[string]error{}}
		test(t, o)
	})
}

// come enters and keeps the place; it returns when the request has a place or is in line.
func (o *office) come(ctx context.Context, project, name string) {
	go func() {
		leave, err := o.Enter(ctx, keys.ASPID(project))
		o.mu.Lock()
		defer o.mu.Unlock()
		if err != nil {
			o.failed[name] = err
			return
		}
		o.served = append(o.served, name)
		o.leave = append(o.leave, leave)
	}()
	synctest.Wait()
}

// next lets one who has a place go.
func (o *office) next() {
	o.mu.Lock()
	leave := o.leave[0]
	o.leave = o.leave[1:]
	o.mu.Unlock()
	leave()
	synctest.Wait()
}

func (o *office) refused(name string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed[name]
}

func (o *office) want(t *testing.T, served ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if fmt.Sprint(o.served) != fmt.Sprint(served) {
		t.Errorf("served %v, want %v", o.served, served)
	}
}

// TestLinesTakeTurns: ten of one project in front do not keep another waiting for
// more than its turn.
func TestLinesTakeTurns(t *testing.T) {
	inFakeTime(t, 1, 100, func(t *testing.T, o *office) {
		for i := range 5 {
			o.come(t.Context(), "A", fmt.Sprint("A", i))
		}
		o.come(t.Context(), "B", "B0")
		o.come(t.Context(), "B", "B1")
		o.come(t.Context(), "C", "C0")
		for range 8 {
			o.next()
		}
		o.want(t, "A0", "A1", "B0", "C0", "A2", "B1", "A3", "A4")
	})
}

func TestFreePlacesAreTaken(t *testing.T) {
	inFakeTime(t, 2, 1, func(t *testing.T, o *office) {
		for i := range 3 {
			o.come(t.Context(), "A", fmt.Sprint("A", i))
		}
		o.want(t, "A0", "A1")
		o.next()
		o.next()
		o.want(t, "A0", "A1", "A2")
		o.next()
		o.come(t.Context(), "A", "A3")
		o.come(t.Context(), "A", "A4")
		o.want(t, "A0", "A1", "A2", "A3", "A4")
		o.next()
		o.next()
	})
}

// TestFullQueue: a flood pushes out itself, and never one of a shorter line.
func TestFullQueue(t *testing.T) {
	inFakeTime(t, 1, 4, func(t *testing.T, o *office) {
		for i := range 6 {
			o.come(t.Context(), "A", fmt.Sprint("A", i)) // A0 has the place, A1 to A4 wait, A5 is too many
		}
		o.come(t.Context(), "B", "B0") // in place of A4
		o.come(t.Context(), "B", "B1") // in place of A3
		o.come(t.Context(), "B", "B2") // two and two: too many
		o.come(t.Context(), "C", "C0") // in place of the last of a longest line
		if n := o.Waiting(); n != 4 {
			t.Errorf("%d wait", n)
		}
		for range 5 {
			o.next()
		}
		for _, name := range []string{"A5", "A4", "A3", "B2"} {
			if !errors.Is(o.refused(name), queue.ErrFull) {
				t.Errorf("%s: %v", name, o.refused(name))
			}
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if len(o.served) != 5 || o.served[0] != "A0" || len(o.failed) != 5 || o.failed["C0"] != nil {
			t.Errorf("served %v, failed %v", o.served, o.failed)
		}
	})
}

func TestNobodyWaitsForever(t *testing.T) {
	inFakeTime(t, 1, 10, func(t *testing.T, o *office) {
		o.come(t.Context(), "A", "A0")
		o.come(t.Context(), "A", "A1")
		ctx, cancel := context.WithCancel(t.Context())
		o.come(ctx, "B", "B0")
		cancel()
		synctest.Wait()
		if !errors.Is(o.refused("B0"), context.Canceled) {
			t.Errorf("got %v", o.refused("B0"))
		}
		time.Sleep(wait)
		synctest.Wait()
		if !errors.Is(o.refused("A1"), queue.ErrFull) || o.Waiting() != 0 {
			t.Errorf("got %v, %d wait", o.refused("A1"), o.Waiting())
		}
		o.next()
		o.come(t.Context(), "B", "B1")
		o.want(t, "A0", "B1")
		o.next()
	})
}

// TestCrowd: whatever comes and goes, no more than the places are held, and all
// of them are free at the end.
func TestCrowd(t *testing.T) {
	const places = 3
	q := queue.New(queue.Config{Places: places, Depth: 8, Wait: time.Millisecond})
	var inside, served, most atomic.Int64
	var all sync.WaitGroup
	for worker := range 32 {
		all.Go(func() {
			for range 300 {
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(4) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(200))*time.Microsecond, cancel)
				}
				leave, err := q.Enter(ctx, keys.ASPID(fmt.Sprint(worker%5)))
				if err == nil {
					if now := inside.Add(1); now > most.Load() {
						most.Store(now)
					}
					time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
					served.Add(1)
					inside.Add(-1)
					leave()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if most.Load() > places || served.Load() == 0 || q.Waiting() != 0 {
		t.Errorf("%d inside at once, %d served, %d wait", most.Load(), served.Load(), q.Waiting())
	}
	for range places {
		if _, err := q.Enter(t.Context(), "last"); err != nil {
			t.Errorf("a place was lost: %v", err)
		}
	}
}
