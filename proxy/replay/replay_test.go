package replay_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy/replay"
)

const window = 10 * time.Minute

var (
	noon   = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	plenty = replay.Limits{Entries: 1 << 20, PerProject: 1 << 20}
)

func id(n int) replay.ID {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return replay.ID(sum[:len(replay.ID{})])
}

func claim(t *testing.T, m *replay.Memory, p keys.ASPID, i replay.ID, now time.Time, want error) *replay.Claim {
	t.Helper()
	c, err := m.Claim(p, i, window, now)
	if !errors.Is(err, want) || (c == nil) != (want != nil) {
		t.Errorf("at %s: got %v, want %v", now.Format(time.TimeOnly), err, want)
	}
	return c
}

// TestWindow: to the millisecond, wherever in a generation the request came.
func TestWindow(t *testing.T) {
	for _, begun := range []time.Duration{0, time.Millisecond, window / 2, window - time.Millisecond, window, 7*window + window/3, 50 * 24 * time.Hour} {
		m := replay.New(plenty)
		at := noon.Add(begun)
		claim(t, m, "A", id(1), at, nil)
		for _, later := range []time.Duration{0, time.Millisecond, window / 2, window - time.Millisecond} {
			claim(t, m, "A", id(1), at.Add(later), replay.ErrReplayed)
		}
		claim(t, m, "A", id(1), at.Add(window), nil)
		claim(t, m, "A", id(1), at.Add(2*window-time.Millisecond), replay.ErrReplayed)
		claim(t, m, "A", id(1), at.Add(2*window), nil)
	}
}

// TestLateReader: who read the clock first may claim last, and gets nothing for it.
func TestLateReader(t *testing.T) {
	for _, before := range []time.Duration{time.Millisecond, time.Second, window / 2} {
		m := replay.New(plenty)
		claim(t, m, "A", id(1), noon.Add(window), nil)
		claim(t, m, "A", id(1), noon.Add(window-before), replay.ErrReplayed)
	}
}

// TestAfterALongRest: a request that comes again after weeks without any is new.
func TestAfterALongRest(t *testing.T) {
	for days := range 60 {
		m := replay.New(plenty)
		claim(t, m, "A", id(1), noon, nil)
		claim(t, m, "A", id(1), noon.Add(window+time.Duration(days)*24*time.Hour), nil)
	}
}

// TestOtherWindow: a reload may change it.
func TestOtherWindow(t *testing.T) {
	m := replay.New(plenty)
	claim(t, m, "A", id(1), noon, nil)
	for _, tt := range []struct {
		window time.Duration
		want   error
	}{{time.Hour, replay.ErrReplayed}, {20 * time.Minute, replay.ErrReplayed}, {time.Minute, nil}} {
		if _, err := m.Claim("A", id(1), tt.window, noon.Add(15*time.Minute)); !errors.Is(err, tt.want) {
			t.Errorf("within %v: got %v, want %v", tt.window, err, tt.want)
		}
	}
}

func TestWhatMakesARequest(t *testing.T) {
	m := replay.New(plenty)
	claim(t, m, "A", id(1), noon, nil)
	claim(t, m, "A", id(2), noon, nil)
	claim(t, m, "B", id(1), noon, nil) // whose secrets are others
}

func TestRelease(t *testing.T) {
	for _, later := range []time.Duration{0, window / 2, window + time.Second} { // in the generation before, too
		m := replay.New(plenty)
		c := claim(t, m, "A", id(1), noon.Add(window/2), nil)
		claim(t, m, "A", id(2), noon.Add(window/2).Add(later), nil)
		c.Release()
		if m.Len() != 1 {
			t.Errorf("%v later %d are left", later, m.Len())
		}
		claim(t, m, "A", id(1), noon.Add(window/2).Add(later), nil)
	}
	var none *replay.Claim
	none.Release()
}

// TestEnd: a request that may have reached the upstream is remembered, any other is not.
func TestEnd(t *testing.T) {
	for name, c := range map[string]struct {
		acts func(*replay.Claim)
		want error
	}{
		"never sent":            {func(*replay.Claim) {}, nil},
		"sent":                  {(*replay.Claim).Record, replay.ErrReplayed},
		"recorded, not sent":    {func(c *replay.Claim) { c.Record(); c.Unsent() }, nil},
		"sent, after a failure": {func(c *replay.Claim) { c.Record(); c.Unsent(); c.Record() }, replay.ErrReplayed},
	} {
		m := replay.New(plenty)
		first := claim(t, m, "A", id(1), noon, nil)
		c.acts(first)
		first.End()
		if _, err := m.Claim("A", id(1), window, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	var none *replay.Claim
	none.Record()
	none.Unsent()
	none.End()
}

// TestLateRelease: a request that took longer than the window does not take back
// what was claimed after it.
func TestLateRelease(t *testing.T) {
	m := replay.New(plenty)
	slow := claim(t, m, "A", id(1), noon, nil)
	claim(t, m, "A", id(1), noon.Add(window), nil)
	slow.Release()
	claim(t, m, "A", id(1), noon.Add(window), replay.ErrReplayed)
}

// TestFull: what cannot be remembered is refused, one project leaves room for the
// others, and time makes room.
func TestFull(t *testing.T) {
	m := replay.New(replay.Limits{Entries: 5, PerProject: 3})
	for i := range 3 {
		claim(t, m, "A", id(i), noon, nil)
	}
	claim(t, m, "A", id(3), noon, replay.ErrFull)
	claim(t, m, "A", id(0), noon, replay.ErrReplayed)
	b := claim(t, m, "B", id(0), noon, nil)
	claim(t, m, "B", id(1), noon, nil)
	claim(t, m, "C", id(0), noon, replay.ErrFull)
	b.Release()
	claim(t, m, "C", id(0), noon, nil)
	claim(t, m, "A", id(3), noon.Add(window-time.Millisecond), replay.ErrFull)
	claim(t, m, "A", id(3), noon.Add(window), nil)
	if m.Len() != 1 {
		t.Errorf("%d are remembered", m.Len())
	}
}

// TestModel compares with a memory that never forgets by itself.
func TestModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m := replay.New(plenty)
	type key struct {
		p keys.ASPID
		i replay.ID
	}
	seen := map[key]time.Time{}
	claims := map[key]*replay.Claim{}
	replayed := 0
	for now, step := noon, 0; step < 100_000; step++ {
		now = now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
		k := key{keys.ASPID(fmt.Sprint(random.IntN(3))), id(random.IntN(600))}
		if c := claims[k]; c != nil && now.Sub(seen[k]) < window && random.IntN(3) == 0 {
			c.Release()
			delete(seen, k)
			delete(claims, k)
		}
		then, known := seen[k]
		var want error
		if known && now.Sub(then) < window {
			want = replay.ErrReplayed
			replayed++
		}
		c, err := m.Claim(k.p, k.i, window, now)
		if !errors.Is(err, want) {
			t.Fatalf("step %d: got %v, want %v", step, err, want)
		}
		if err == nil {
			seen[k], claims[k] = now, c
		}
	}
	if replayed < 1000 {
		t.Errorf("only %d were replays", replayed)
	}
}

// TestOnlyOneGetsThrough: of many copies at once.
func TestOnlyOneGetsThrough(t *testing.T) {
	m := replay.New(plenty)
	var through atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for i := range 1000 {
				if _, err := m.Claim("A", id(i), window, noon); err == nil {
					through.Add(1)
				}
			}
		})
	}
	all.Wait()
	if through.Load() != 1000 {
		t.Errorf("%d got through", through.Load())
	}
}

// TestHolds: no more than an eighth longer than the window, so that a bound on
// entries says which rate it bears.
func TestHolds(t *testing.T) {
	m, most := replay.New(plenty), 0
	for i := range 5000 { // a second apart
		claim(t, m, "A", id(i), noon.Add(time.Duration(i)*time.Second), nil)
		most = max(most, m.Len())
	}
	if seconds := int(window.Seconds()); most < seconds || most > seconds+seconds/8+1 {
		t.Errorf("%d of a request a second", most)
	}
}

// BenchmarkReplayClaim prints what a claim costs when the memory is as full as 2,600
// requests a second make it, and what an entry holds.
func BenchmarkReplayClaim(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m, n := replay.New(replay.Limits{Entries: 1 << 30, PerProject: 1 << 30}), 0
	next := func() {
		n++
		var i replay.ID
		binary.LittleEndian.PutUint64(i[:], uint64(n))
		if _, err := m.Claim("A", i, window, noon.Add(time.Duration(n)*time.Second/2600)); err != nil {
			b.Fatal(err)
		}
	}
	for range 2600 * int(window.Seconds()) {
		next()
	}
	for b.Loop() {
		next()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(m.Len()), "held-B/entry")
	b.ReportMetric(float64(m.Len()), "entries")
}
