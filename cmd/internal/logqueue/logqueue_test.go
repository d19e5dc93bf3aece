package logqueue_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/cmd/internal/logqueue"
)

var errGone = errors.New("the reader is gone")

// reader is what a queue writes to. It can stall, leave and be full.
type reader struct {
	mu    sync.Mutex
	text  bytes.Buffer
	room  int // bytes that are taken before errGone; -1: any number
	stall chan struct{}
}

func newReader() *reader { return &reader{room: -1} }

func (r *reader) Write(p []byte) (int, error) {
	if stall := r.stalled(); stall != nil {
		<-stall
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.room < 0 {
		return r.text.Write(p)
	}
	n := min(len(p), r.room)
	r.room -= n
	r.text.Write(p[:n])
	if n < len(p) {
		return n, errGone
	}
	return n, nil
}

func (r *reader) stalled() chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stall
}

func (r *reader) set(room int, stall chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.room, r.stall = room, stall
}

func (r *reader) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Split(strings.TrimSuffix(r.text.String(), "\n"), "\n")
}

func notice(n uint64) []byte { return fmt.Appendf(nil, "%d dropped\n", n) }

func put(t *testing.T, q *logqueue.Queue, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if n, err := q.Write([]byte(line + "\n")); n != len(line)+1 || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
}

func wantLines(t *testing.T, r *reader, want ...string) {
	t.Helper()
	if got := r.lines(); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("written was %q, want %q", got, want)
	}
}

func TestLinesInOrder(t *testing.T) {
	r := newReader()
	q := logqueue.New(r, logqueue.Limits{Lines: 10000, Bytes: 1 << 20}, notice)
	var want []string
	for i := range 1000 {
		want = append(want, fmt.Sprintf("line %d", i))
	}
	put(t, q, want...)
	q.Close(time.Minute)
	wantLines(t, r, want...)
	if q.Dropped() != 0 {
		t.Errorf("%d lines were dropped", q.Dropped())
	}
}

// TestStalledReader: lines beyond the limits, the one being written included, are
// dropped and counted; what was kept comes when the reader reads again, then the
// number of those that were dropped.
func TestStalledReader(t *testing.T) {
	for _, l := range []logqueue.Limits{{Lines: 3, Bytes: 1 << 20}, {Lines: 1000, Bytes: 3 * len("x1\n")}} {
		synctest.Test(t, func(t *testing.T) {
			r, stall := newReader(), make(chan struct{})
			r.set(-1, stall)
			q := logqueue.New(r, l, notice)
			put(t, q, "x1")
			synctest.Wait() // it is being written
			put(t, q, "x2", "x3", "x4", "x5")
			if q.Dropped() != 2 {
				t.Errorf("%+v: %d lines were dropped, want 2", l, q.Dropped())
			}
			r.set(-1, nil)
			close(stall)
			synctest.Wait()
			wantLines(t, r, "x1", "x2", "x3", "2 dropped")
			put(t, q, "x6")
			q.Close(time.Minute)
			wantLines(t, r, "x1", "x2", "x3", "2 dropped", "x6")
		})
	}
}

// TestCloseLeavesAStalledReader: Close takes no longer than it was given.
func TestCloseLeavesAStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stall := newReader(), make(chan struct{})
		r.set(-1, stall)
		q := logqueue.New(r, logqueue.Limits{Lines: 3, Bytes: 100}, notice)
		put(t, q, "x1")
		synctest.Wait()
		before := time.Now()
		q.Close(time.Second)
		if took := time.Since(before); took != time.Second {
			t.Errorf("it took %v", took)
		}
		put(t, q, "late")
		if q.Dropped() != 1 {
			t.Error("a line after the end is not counted as dropped")
		}
		close(stall)
	})
}

// TestLostReader: a reader that left costs lines and no more; one that comes back is
// told how many, and a line that was cut in the middle does not spoil the next.
func TestLostReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		q := logqueue.New(r, logqueue.Limits{Lines: 100, Bytes: 1000}, notice)
		write := func(line string) {
			put(t, q, line)
			synctest.Wait()
		}
		r.set(len("first\nsec"), nil)
		for _, line := range []string{"first", "second", "third", "fourth"} {
			write(line)
		}
		if q.Dropped() != 3 {
			t.Errorf("%d lines were dropped, want 3", q.Dropped())
		}
		r.set(-1, nil)
		write("fifth")
		wantLines(t, r, "first", "sec", "fifth", "3 dropped")
		q.Close(time.Minute)
	})
}

// TestNoSpin: a reader that is gone is not tried again before there is a line.
func TestNoSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		q := logqueue.New(writes(func([]byte) (int, error) { tries++; return 0, syscall.EPIPE }), logqueue.Limits{Lines: 100, Bytes: 1000}, notice)
		put(t, q, "one")
		synctest.Wait()
		if tries != 1 {
			t.Errorf("it was tried %d times", tries)
		}
		q.Close(time.Minute)
	})
}

type writes func([]byte) (int, error)

func (w writes) Write(p []byte) (int, error) { return w(p) }

// TestManyWriters: each line is written or counted as dropped, and none is mixed with
// another.
func TestManyWriters(t *testing.T) {
	r := newReader()
	q := logqueue.New(r, logqueue.Limits{Lines: 50, Bytes: 1 << 20}, notice)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				put(t, q, "abcdefgh")
			}
		})
	}
	all.Wait()
	q.Close(time.Minute)
	kept := 0
	for _, line := range r.lines() {
		if line == "abcdefgh" {
			kept++
		} else if !strings.HasSuffix(line, " dropped") {
			t.Fatalf("a line is %q", line)
		}
	}
	if kept+int(q.Dropped()) != 8*500 {
		t.Errorf("%d lines were written and %d dropped, of %d", kept, q.Dropped(), 8*500)
	}
}

func BenchmarkWrite(b *testing.B) {
	q := logqueue.New(writes(func(p []byte) (int, error) { return len(p), nil }), logqueue.Limits{Lines: 10000, Bytes: 4 << 20}, notice)
	line := []byte(strings.Repeat("x", 400) + "\n")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = q.Write(line)
	}
	q.Close(time.Minute)
}
