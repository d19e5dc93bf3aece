package filestore

import (
	"context"
	"os"
	"time"
)

// watchInterval keeps the promise of one second with room for a busy machine.
const watchInterval = 200 * time.Millisecond

// Watch implements keys.Store. It looks at the folder five times a second, which
// works on every file system; the first send comes without a commit. A store
// that became damaged or unreadable is told too: Load says what it is.
func (s *Store) Watch(ctx context.Context) <-chan struct{} {
	told := make(chan struct{}, 1)
	go func() {
		defer close(told)
		look := time.NewTicker(watchInterval)
		defer look.Stop()
		var last sight
		for {
			if now := s.look(); !now.same(last) {
				last = now
				select {
				case told <- struct{}{}:
				default: // the last send was not taken yet and stands for this one too
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
		}
	}()
	return told
}

// sight is what a commit changes: head.json by content, since its next version
// can have the same size, time and inode; and the log by being another file, for
// a writer that died between the two. The log's size tells that it was cut.
type sight struct {
	taken bool
	head  head
	wrong string
	log   os.FileInfo
}

func (s *Store) look() sight {
	now := sight{taken: true}
	var err error
	if now.head, err = s.readHead(); err != nil {
		now.wrong = err.Error()
	}
	if info, err := os.Stat(s.path(logName)); err == nil {
		now.log = info
	}
	return now
}

func (s sight) same(t sight) bool {
	sameLog := s.log == nil && t.log == nil || s.log != nil && t.log != nil && os.SameFile(s.log, t.log) && s.log.Size() == t.log.Size()
	return s.taken == t.taken && s.head == t.head && s.wrong == t.wrong && sameLog
}
