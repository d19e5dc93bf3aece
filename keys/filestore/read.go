package filestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"kmproxy/keys"
)

// view is a state of the store and the head under which it was verified.
type view struct {
	head head
	snap keys.Snapshot
}

// read returns the newest state, and the head that stands on the disk, which can
// be the one before if a writer died. Damage is believed only if head.json did
// not change meanwhile: a reader without a lock sees files of two commits.
func (s *Store) read(ctx context.Context) (view, head, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return view{}, head{}, err
		}
		h, err := s.readHead()
		if err != nil {
			return view{}, head{}, err
		}
		v, err := s.readUnder(h)
		if err == nil {
			s.seen = v
			return v, h, nil
		}
		if again, headErr := s.readHead(); !errors.Is(err, keys.ErrDamaged) || headErr != nil || again == h {
			return view{}, head{}, err
		}
	}
}

// readUnder reads the state that the head on the disk stands for.
func (s *Store) readUnder(onDisk head) (view, error) {
	l, file, err := openLog(s.path(logName))
	switch {
	case errors.Is(err, os.ErrNotExist) && onDisk == head{}:
		return view{}, nil
	case errors.Is(err, os.ErrNotExist):
		return view{}, damaged(s.path(logName), fmt.Sprintf("it is missing, but head.json names its revision %d", onDisk.rev))
	case err != nil:
		return view{}, err
	}
	defer file.Close()
	h, err := l.acknowledged(onDisk)
	if err != nil {
		return view{}, err
	}
	v, err := l.state(h, s.seen)
	if err != nil && h != onDisk {
		return view{}, fmt.Errorf("%w (head.json is missing or of the log before)", err)
	}
	return v, err
}

// state reads the log up to h, or only what it has more than seen.
func (l *logFile) state(h head, seen view) (view, error) {
	known := seen.head.generation == h.generation && l.lastSum(h.length) == h.last
	switch {
	case known && seen.head == h:
		return seen, nil
	case known && seen.head.length < h.length:
		if v, err := l.readTail(h, seen); err == nil {
			return v, nil
		}
		// Either the log is damaged or it is not the one that was seen: reading all
		// of it tells which, and on which line.
	}
	return l.readAll(h)
}

// readAll reads, verifies and replays the log up to h.
func (l *logFile) readAll(h head) (view, error) {
	r := l.replay()
	for lines, err := range l.chunks(l.headerLen, h.length, chunkLen) {
		if err != nil {
			return view{}, err
		}
		if err := r.add(lines); err != nil {
			return view{}, damaged(l.path, err)
		}
	}
	if err := r.end(); err != nil {
		return view{}, damaged(l.path, err)
	}
	if r.snap.Revision != h.rev || r.last != h.last {
		return view{}, damaged(l.path, fmt.Sprintf("it leads to revision %d, which is not the revision %d that was acknowledged", r.snap.Revision, h.rev))
	}
	return view{head: h, snap: r.snap}, nil
}

// readTail reads what h has more than seen. Its errors do not say on which line.
func (l *logFile) readTail(h head, seen view) (view, error) {
	r := &replay{last: seen.head.last, snap: keys.Snapshot{Revision: seen.snap.Revision, Entries: maps.Clone(seen.snap.Entries)}}
	for lines, err := range l.chunks(seen.head.length, h.length, chunkLen) {
		if err != nil {
			return view{}, err
		}
		if err := r.add(lines); err != nil {
			return view{}, err
		}
	}
	if r.snap.Revision != h.rev || r.last != h.last {
		return view{}, damaged(l.path, "it does not lead to what was acknowledged")
	}
	return view{head: h, snap: r.snap}, nil
}
