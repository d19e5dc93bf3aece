package filestore

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// watchInterval keeps the promise of one second with room for a busy machine.
	watchInterval = 200 * time.Millisecond
	// stuckAfter is how long a look at the folder may take before a Load is to
	// find out what holds it up.
	stuckAfter = time.Second
)

// Watch implements keys.Store. It looks at the folder five times a second, which
// works on every file system; the first send comes without a commit. A store
// that became damaged, unreadable or that does not answer is told too: Load says
// what it is.
func (s *Store) Watch(ctx context.Context) <-chan struct{} {
	told := make(chan struct{}, 1)
	w := &watcher{store: s, news: make(chan struct{}, 1)}
	w.began.Store(time.Now().UnixNano())
	go w.run(ctx)
	go w.tell(ctx, told)
	return told
}

// watcher looks at a store in one goroutine, which a file system that hangs may
// stop for good, and tells of it in another.
type watcher struct {
	store *Store
	news  chan struct{}
	began atomic.Int64 // the last look, in Unix nanoseconds
	last  sight
	proof proof
}

func (w *watcher) run(ctx context.Context) {
	look := time.NewTicker(watchInterval)
	defer look.Stop()
	for ctx.Err() == nil {
		w.began.Store(time.Now().UnixNano())
		w.look()
		w.prove(ctx)
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}

func (w *watcher) look() {
	now := w.store.look()
	if now.log != w.last.log {
		w.proof.touched = time.Now()
	}
	if now != w.last {
		w.last = now
		send(w.news)
	}
}

func (w *watcher) prove(ctx context.Context) {
	if w.proof.isDue() && !w.proof.of(ctx, w.store) {
		send(w.news)
	}
}

// tell forwards the news, and makes some while a look does not return.
func (w *watcher) tell(ctx context.Context, told chan<- struct{}) {
	defer close(told)
	alive := time.NewTicker(stuckAfter / 4)
	defer alive.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.news:
			send(told)
		case <-alive.C:
			if time.Since(time.Unix(0, w.began.Load())) > stuckAfter {
				send(told)
			}
		}
	}
}

// send does not wait: a send that was not taken yet stands for this one too.
func send(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// sight is what a commit or other hands change: head.json by content, since its
// next version can have the same size, time and inode, and the log by its mark.
type sight struct {
	taken bool
	head  head
	wrong string
	log   mark
}

func (s *Store) look() sight {
	now := sight{taken: true, log: markOf(s.path(logName))}
	var err error
	if now.head, err = s.readHead(); err != nil {
		now.wrong = err.Error()
	}
	return now
}
