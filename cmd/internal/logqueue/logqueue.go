// Package logqueue takes log lines off the request path. A Queue is an io.Writer
// that never waits and never fails: what it is given lies in memory, within bounds,
// until a goroutine of its own has written it. When the reader of the log stalls,
// leaves or has no room, lines are dropped and counted, and a later line says how
// many.
package logqueue

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// Limits bound what a Queue holds, the lines that are being written included.
// Both must be positive.
type Limits struct {
	Lines int
	Bytes int
}

// keepBytes is the largest buffer that is kept for reuse.
const keepBytes = 256 << 10

// Queue is a queue of lines. Its methods are safe for concurrent use.
type Queue struct {
	to     io.Writer
	limits Limits
	notice func(dropped uint64) []byte
	wake   chan struct{} // holds at most one: there is something to do
	done   chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	waiting batch
	writing batch  // empty while nothing is being written
	dropped uint64 // lines, since the start
	told    uint64 // of those, how many a line has reported
	closed  bool
}

// batch is some whole lines.
type batch struct {
	text  []byte
	lines int
}

// New makes a Queue that writes to to, in the order in which lines came. notice
// makes the line that reports how many were dropped since the last such line. Close
// ends the Queue's goroutine.
func New(to io.Writer, l Limits, notice func(dropped uint64) []byte) *Queue {
	q := &Queue{to: to, limits: l, notice: notice, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Write takes one line or several, each ending with a newline, and copies them. It
// returns at once and without an error; lines that find no room are dropped.
func (q *Queue) Write(p []byte) (int, error) {
	lines := bytes.Count(p, []byte{'\n'})
	q.mu.Lock()
	if q.closed || q.waiting.lines+q.writing.lines+lines > q.limits.Lines || len(q.waiting.text)+len(q.writing.text)+len(p) > q.limits.Bytes {
		q.dropped += uint64(max(1, lines))
	} else {
		q.waiting.text = append(q.waiting.text, p...)
		q.waiting.lines += lines
	}
	q.mu.Unlock()
	q.rouse()
	return len(p), nil
}

// Dropped is the number of lines that were dropped so far, those that could not be
// written included.
func (q *Queue) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// Close takes no further lines and waits until those that are waiting are written,
// at most for patience. A write that never returns is left behind.
func (q *Queue) Close(patience time.Duration) {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.rouse()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-q.done:
	case <-late.C:
	}
}

func (q *Queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake already
	}
}
