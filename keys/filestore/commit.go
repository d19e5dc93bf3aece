package filestore

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
	"kmproxy/keys/internal/disk"
)

// commitLocked is CommitAbove for the holder of the lock.
func (s *Store) commitLocked(ctx context.Context, base, floor keys.Revision, prepared []keys.Change) (keys.Revision, error) {
	v, onDisk, err := s.read(ctx)
	if err != nil {
		return 0, err
	}
	if base != v.snap.Revision {
		return 0, fmt.Errorf("on revision %d, but the newest is %d: %w", base, v.snap.Revision, keys.ErrConflict)
	}
	if err := s.repair(v.head, onDisk); err != nil {
		return 0, err
	}
	next, err := s.write(v, floor, prepared)
	if err != nil {
		return 0, err
	}
	s.durable = next.head
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = next
	return next.snap.Revision, nil
}

// repair finishes what a writer that failed or died left to do: see the table in
// the package comment. The tail of the log is cut off by appendLog. What another
// writer renamed may not be on the disk yet, and nothing may be built on it before.
func (s *Store) repair(h, onDisk head) error {
	if err := s.discardStaged(); err != nil {
		return err
	}
	if h == onDisk && h == s.durable {
		return nil
	}
	if err := s.disk.SyncFolder(s.dir); err != nil {
		return err
	}
	if h == onDisk {
		return nil
	}
	if err := s.stageHead(h); err != nil {
		return err
	}
	return s.publish(s.path(headName))
}

// write makes the commit that follows v. Only a log that is written anew can pass over
// revisions.
func (s *Store) write(v view, floor keys.Revision, prepared []keys.Change) (next view, err error) {
	from := keys.Snapshot{Revision: max(v.snap.Revision, floor), Entries: v.snap.Entries}
	next.snap = changes.Apply(from, prepared)
	at := s.now().UTC().Format(time.RFC3339)
	rewrite := v.head.generation == 0 || from.Revision > v.snap.Revision || slices.ContainsFunc(prepared, func(c keys.Change) bool { return c.Erase })
	line := record{next.snap.Revision, at, prepared}
	if err := line.fits(); err != nil {
		return view{}, err
	}
	if rewrite || line.room() > maxLine || wasteful(v.head.length, next.snap) {
		next.head, err = s.rewriteLog(v.head, next.snap, at)
	} else {
		next.head, err = s.appendLog(v.head, line)
	}
	return next, err
}

// appendLog adds one line and acknowledges it.
func (s *Store) appendLog(h head, r record) (next head, err error) {
	f, err := s.disk.OpenFile(s.path(logName), os.O_WRONLY, 0)
	if err != nil {
		return head{}, err
	}
	defer func() {
		if err != nil {
			s.takeBack(f, h)
		}
		_ = f.Close() // it was synced, or failed already
	}()
	if err := f.Truncate(h.length); err != nil {
		return head{}, err
	}
	line, sum := seal(appendRecord(make([]byte, 0, r.room()), r), 0, h.last)
	if _, err := f.WriteAt(line, h.length); err != nil {
		return head{}, err
	}
	if err := f.Sync(); err != nil {
		return head{}, err
	}
	next = head{h.generation, r.rev, h.length + int64(len(line)), sum}
	if err := s.stageHead(next); err != nil {
		return head{}, err
	}
	return next, s.publish(s.path(headName))
}

// takeBack gives the space of a failed commit back, unless the commit stands
// after all. If it fails too, the line is a tail that was never acknowledged.
func (s *Store) takeBack(f *disk.File, h head) {
	if onDisk, err := s.readHead(); err == nil && onDisk == h {
		_ = f.Truncate(h.length)
		_ = s.discardStaged()
	}
}
