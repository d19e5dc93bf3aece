// Package queue gives a few places to many requests, fairly by project: waiting requests
// are in a line for their project, and the lines take turns.
package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kmproxy/keys"
)

// ErrFull reports that too many wait already, or that no place came free in time.
var ErrFull = errors.New("no place came free in time")

// Config is what a Queue works with. All of it must be positive.
type Config struct {
	Places int           // that are held at once
	Depth  int           // who may wait, in all lines together
	Wait   time.Duration // at most, for a place
}

// Queue is safe for concurrent use.
type Queue struct {
	c       Config
	mu      sync.Mutex
	free    int
	waiting int
	lines   map[keys.ASPID]*line
	turn    []*line // those that are not empty, the next one first
}

// line has the waiting requests of one project, the first one first. It is not empty
// while it is in turn.
type line struct {
	project keys.ASPID
	waiters []*waiter
}

// waiter is a waiting request. Its channel gets one value: nil with a place, or why
// there is none.
type waiter struct{ told chan error }

// New makes a Queue whose places are all free.
func New(c Config) *Queue {
	return &Queue{c: c, free: c.Places, lines: map[keys.ASPID]*line{}}
}

// Enter waits for a place, which leave gives back; it must be called exactly once.
// Errors: ErrFull, and the context's when it ends first.
func (q *Queue) Enter(ctx context.Context, project keys.ASPID) (leave func(), err error) {
	w, err := q.join(project)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return q.leave, nil
	}
	timer := time.NewTimer(q.c.Wait)
	defer timer.Stop()
	select {
	case err = <-w.told:
	case <-timer.C:
		err = q.giveUp(project, w, ErrFull)
	case <-ctx.Done():
		err = q.giveUp(project, w, ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return q.leave, nil
}

// join takes a free place and returns no waiter, or joins a line. If the queue is full
// the last request of the longest line is refused, unless the new request would make its
// own line the longest: so the flood of one project refuses its own requests.
func (q *Queue) join(project keys.ASPID) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return nil, nil
	}
	l := q.lines[project]
	if l == nil {
		l = &line{project: project}
	}
	if q.waiting >= q.c.Depth {
		longest := slices.MaxFunc(q.turn, func(a, b *line) int { return len(a.waiters) - len(b.waiters) })
		if len(longest.waiters) <= len(l.waiters)+1 {
			return nil, ErrFull
		}
		last := longest.waiters[len(longest.waiters)-1]
		q.remove(longest, last)
		last.told <- ErrFull
	}
	w := &waiter{told: make(chan error, 1)}
	l.waiters = append(l.waiters, w)
	q.waiting++
	if len(l.waiters) == 1 {
		q.lines[project] = l
		q.turn = append(q.turn, l)
	}
	return w, nil
}

// leave passes a place on to the next line's first, whose line then goes last.
func (q *Queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turn) == 0 {
		q.free++
		return
	}
	next := q.turn[0]
	w := next.waiters[0]
	q.remove(next, w)
	if len(next.waiters) > 0 {
		q.turn = append(q.turn[1:], next)
	}
	w.told <- nil
}

// giveUp takes w out of its line and returns why, unless w has a result already.
func (q *Queue) giveUp(project keys.ASPID, w *waiter, why error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case err := <-w.told:
		return err
	default:
		q.remove(q.lines[project], w)
		return why
	}
}

// remove takes w out of its line, and an empty line out of turn.
func (q *Queue) remove(l *line, w *waiter) {
	q.waiting--
	l.waiters = slices.DeleteFunc(l.waiters, func(other *waiter) bool { return other == w })
	if len(l.waiters) == 0 {
		delete(q.lines, l.project)
		q.turn = slices.DeleteFunc(q.turn, func(other *line) bool { return other == l })
	}
}

// Waiting is how many stand in line.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}
