package replay

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// errStalled reports a disk that does not take what is written to it.
var errStalled = errors.New("the disk takes nothing")

// patience is how long a request waits for a write that another one is making.
const patience = 100 * time.Millisecond

// rounds is the number of batches that a request writes for others before a goroutine
// continues with them.
const rounds = 4

// segment is the file of one generation. Records are written by one request at a
// time: what comes meanwhile is the next batch. After an error nothing more is
// written; the generation gets another file when the disk is well.
type segment struct {
	path   string
	failed func(error) // called without mu

	mu      sync.Mutex
	f       *os.File // nil until there is a record
	size    int64
	err     error
	lost    int  // records that are not in the file
	over    bool // nothing more is wanted of it
	dirty   bool // not synced
	writing bool
	next    *batch
}

// batch is what waits for a write to end.
type batch struct {
	content []byte
	done    chan struct{}
}

// append writes a record, or counts it as lost.
func (s *segment) append(r record) {
	var room [recordBytes]byte
	s.appendAll(r.appendTo(room[:0]))
}

func (s *segment) appendAll(records []byte) {
	s.mu.Lock()
	if s.over || s.err != nil {
		s.lost += len(records) / recordBytes
		s.mu.Unlock()
		return
	}
	if s.writing {
		b := s.join(records)
		s.mu.Unlock()
		s.await(b, len(records)/recordBytes)
		return
	}
	s.writing = true
	s.mu.Unlock()
	s.write(records)
	s.writeNext(rounds)
}

// join adds records to the next batch. The caller holds mu.
func (s *segment) join(records []byte) *batch {
	if s.next == nil {
		s.next = &batch{done: make(chan struct{})}
	}
	s.next.content = append(s.next.content, records...)
	return s.next
}

// await gives up after a while, so that a disk that hangs holds up one request alone.
func (s *segment) await(b *batch, records int) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-b.done:
	case <-late.C:
		s.fail(fmt.Errorf("writing %s: %w", s.path, errStalled), records)
	}
}

// writeNext writes the batches that came meanwhile.
func (s *segment) writeNext(rounds int) {
	for ; ; rounds-- {
		b := s.take()
		if b == nil {
			return
		}
		if rounds == 0 {
			go func() { s.write(b.content); close(b.done); s.writeNext(-1) }()
			return
		}
		s.write(b.content)
		close(b.done)
	}
}

// take returns nil when there is no batch, and then nothing is being written.
func (s *segment) take() *batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.next
	s.next, s.writing = nil, b != nil
	return b
}

// write is called by one goroutine at a time. The file is made with the first
// records.
func (s *segment) write(records []byte) {
	s.mu.Lock()
	f, size, skip := s.f, s.size, s.err != nil || s.over
	s.mu.Unlock()
	if skip {
		s.fail(nil, len(records)/recordBytes)
		return
	}
	if f == nil {
		s.create(records)
		return
	}
	if _, err := f.WriteAt(records, size); err != nil {
		s.fail(err, len(records)/recordBytes)
		return
	}
	s.mu.Lock()
	s.size, s.dirty = size+int64(len(records)), true
	s.mu.Unlock()
}

func (s *segment) create(records []byte) {
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		s.fail(err, len(records)/recordBytes)
		return
	}
	content := append([]byte(header), records...)
	_, err = f.Write(content)
	s.mu.Lock()
	s.f, s.size, s.dirty = f, int64(len(content)), true
	over := s.over
	s.mu.Unlock()
	if over { // meanwhile: what ended it did not see the file
		_ = s.remove() // at worst it is read at the next start
	}
	if err != nil {
		s.fail(err, len(records)/recordBytes)
	}
}

// fail notes the first error and so many records that are not in the file.
func (s *segment) fail(err error, records int) {
	s.mu.Lock()
	s.lost += records
	first := s.err == nil && err != nil && !s.over
	if first {
		s.err = err
	}
	s.mu.Unlock()
	if first {
		s.failed(err)
	}
}

// trouble is the first error and how many records are not in the file.
func (s *segment) trouble() (lost int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return 0, nil
	}
	return s.lost, s.err
}

// sync makes what is written outlive the power. It reports whether there was
// anything to do.
func (s *segment) sync() (did bool) {
	s.mu.Lock()
	f := s.f
	did = s.dirty && s.err == nil && !s.over
	s.dirty = false
	s.mu.Unlock()
	if !did {
		return false
	}
	if err := f.Sync(); err != nil {
		s.fail(err, 0) // what the kernel did with it is not known
	}
	return true
}

// verify fails a file that is no longer where it was made: it would be gone at the
// next start.
func (s *segment) verify() {
	s.mu.Lock()
	f := s.f
	s.mu.Unlock()
	if f == nil {
		return
	}
	mine, err := f.Stat()
	if err != nil {
		s.fail(err, 0)
		return
	}
	there, err := os.Lstat(s.path)
	if err == nil && !os.SameFile(mine, there) {
		err = fmt.Errorf("%s: %w", s.path, os.ErrNotExist)
	}
	if err != nil {
		s.fail(err, 0)
	}
}

// end closes the file. What is written to it later is lost, and said nowhere.
func (s *segment) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.f != nil {
		_ = s.f.Close() // synced, or not wanted any more
	}
}

// remove ends the segment and takes its file away.
func (s *segment) remove() error {
	s.end()
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
