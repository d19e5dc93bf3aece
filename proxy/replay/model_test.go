package replay_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy/replay"
)

// TestModelOfRestarts compares with a memory that never forgets, while processes are
// killed, restarted and joined by others, and their folder goes away and comes back.
func TestModelOfRestarts(t *testing.T) {
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{random: rand.New(rand.NewPCG(seed, 1)), process: start(t, folder(t), plenty), seen: map[request]time.Time{}, claims: map[request]*replay.Claim{}}
			for range 700 {
				w.step(t)
			}
			if w.replayed < 100 || w.restarts < 5 {
				t.Errorf("%d replays, %d restarts", w.replayed, w.restarts)
			}
		})
	}
}

type request struct {
	project keys.ASPID
	n       int
}

// world is a process and what the model knows.
type world struct {
	*process
	random             *rand.Rand
	seen               map[request]time.Time
	claims             map[request]*replay.Claim // of this process
	replayed, restarts int
}

func (w *world) step(t *testing.T) {
	time.Sleep(time.Duration(w.random.IntN(2000)) * time.Millisecond)
	r := request{keys.ASPID([]string{"A", "B"}[w.random.IntN(2)]), w.random.IntN(100)}
	switch n := w.random.IntN(100); {
	case n < 3:
		w.restart(t)
	case n < 5:
		w.outage(t)
	case n < 25:
		if c := w.claims[r]; c != nil && time.Since(w.seen[r]) < window {
			c.Release()
			delete(w.seen, r)
			delete(w.claims, r)
		}
	default:
		w.call(t, r)
	}
}

func (w *world) call(t *testing.T, r request) {
	var want error
	if then, known := w.seen[r]; known && time.Since(then) < window {
		want = replay.ErrReplayed
		w.replayed++
	}
	c, err := w.Claim(r.project, id(r.n), window, time.Now())
	if !errors.Is(err, want) {
		t.Fatalf("%v: got %v, want %v", r, err, want)
	}
	switch {
	case err != nil:
	case w.random.IntN(10) == 0: // refused after all
		c.Release()
		delete(w.seen, r)
		delete(w.claims, r)
	default:
		c.Record()
		w.seen[r], w.claims[r] = time.Now(), c
	}
}

// restart continues with a new process after the old one was killed or closed.
func (w *world) restart(t *testing.T) {
	w.restarts++
	w.claims = map[request]*replay.Claim{}
	if w.random.IntN(2) == 0 {
		killed := w.process
		w.process = w.killed(t)
		killed.Close() // too late for what the other found
		return
	}
	w.Close()
	w.process = start(t, w.dir, plenty)
}

// outage takes the folder away for a while.
func (w *world) outage(t *testing.T) {
	if err := os.Rename(w.dir, w.dir+".away"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		time.Sleep(time.Duration(w.random.IntN(1000)) * time.Millisecond)
		w.call(t, request{"A", w.random.IntN(100)})
	}
	if err := os.RemoveAll(w.dir); err != nil { // it was created again meanwhile
		t.Fatal(err)
	}
	if err := os.Rename(w.dir+".away", w.dir); err != nil {
		t.Fatal(err)
	}
	later(3 * time.Second)
}
