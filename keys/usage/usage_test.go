package usage_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/keys"
	"kmproxy/keys/usage"
)

var (
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	id   = keys.KeyID("00000000000000000000000000000001")
)

func TestCounterCountsEveryUse(t *testing.T) {
	var c usage.Counter
	var all sync.WaitGroup
	const workers, each = 8, 1000
	for w := range workers {
		all.Go(func() {
			for i := range each {
				c.Count("A", id, keys.Request, alg.Preferred(), noon.Add(time.Duration(w*i)*time.Millisecond))
				c.Count("A", id, keys.Response, alg.Preferred(), noon)
			}
		})
	}
	all.Wait()
	uses := c.Uses()
	if len(uses) != 2 || uses[0].Requests != workers*each || uses[1].Requests != workers*each {
		t.Fatalf("got %+v", uses)
	}
	if uses[0].Direction != "request" || uses[0].Alg != "RSA-OAEP-256+A256GCM" || uses[0].ASPID != "A" || uses[0].KeyID != id {
		t.Errorf("got %+v", uses[0])
	}
}

func TestSum(t *testing.T) {
	a := keys.Use{ASPID: "A", KeyID: id, Direction: "request", Alg: "x", Requests: 2, LastUsed: noon}
	b := a
	b.Requests, b.LastUsed = 3, noon.Add(time.Hour)
	other := a
	other.Alg = "y"
	sum := usage.Sum([]keys.Use{a, other}, []keys.Use{b})
	if len(sum) != 2 || sum[0].Requests != 5 || !sum[0].LastUsed.Equal(b.LastUsed) || sum[1] != other {
		t.Errorf("got %+v", sum)
	}
}

// TestKeep: written within a second, only when something changed, again after a
// failure, and complete at the end.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c usage.Counter
		var mu sync.Mutex
		var gone atomic.Bool // what was written
		var written [][]keys.Use
		failing := errors.New("disk full")
		var fail error
		write := func(u []keys.Use) error {
			mu.Lock()
			defer mu.Unlock()
			if fail == nil {
				written = append(written, u)
			}
			return fail
		}
		setFail := func(err error) { mu.Lock(); fail = err; mu.Unlock() }
		count := func() int { mu.Lock(); defer mu.Unlock(); return len(written) }
		before := []keys.Use{{ASPID: "A", KeyID: id, Direction: "request", Alg: alg.Preferred().Name(), Requests: 10, LastUsed: noon}}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		reports := make(chan error, 10)
		go func() {
			defer close(done)
			c.Keep(ctx, before, write, gone.Load, func(err error) { reports <- err })
		}()
		time.Sleep(3 * usage.Interval)
		if count() != 0 {
			t.Error("written without a use")
		}
		setFail(failing)
		c.Count("A", id, keys.Request, alg.Preferred(), noon.Add(time.Hour))
		time.Sleep(5*usage.Interval + time.Millisecond)
		if err := <-reports; !errors.Is(err, failing) || len(reports) > 0 {
			t.Errorf("%v, and %d reports more", err, len(reports))
		}
		setFail(nil)
		time.Sleep(usage.Interval)
		if count() != 1 {
			t.Errorf("%d writes", count())
		}
		gone.Store(true)
		time.Sleep(usage.Interval)
		if gone.Store(false); count() != 2 {
			t.Errorf("what is gone was not written again: %d writes", count())
		}
		c.Count("A", id, keys.Request, alg.Preferred(), noon.Add(time.Hour))
		stop()
		<-done
		mu.Lock()
		defer mu.Unlock()
		if last := written[len(written)-1]; len(written) != 3 || last[0].Requests != 12 {
			t.Errorf("got %+v", written)
		}
	})
}
