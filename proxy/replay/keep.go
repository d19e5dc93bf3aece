package replay

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	syncTime  = time.Second
	closeTime = 2 * time.Second // for the last sync
	slack     = 1 << 16         // releases in a file that do not justify rewriting it
	manyFiles = 64              // of former processes: more are made into few
)

// keeper writes a Memory to a folder: what was claimed in one part of a window is
// in one file, which goes when that part counts no more. A file that cannot be
// written is replaced, from memory, as soon as another one can be.
type keeper struct {
	memory  *Memory
	dir     string
	now     func() time.Time
	log     *slog.Logger
	slot    atomic.Pointer[slot]
	serial  atomic.Int64
	told    atomic.Bool // of the present trouble
	synced  atomic.Pointer[time.Time]
	trouble atomic.Pointer[error] // with the folder, at the last tick; nil: none

	formers []former // the goroutine's own, as the next
	merge   bool     // rewrite all files, so that the formers can be removed

	mu   sync.Mutex
	gone []*segment // their generations are forgotten

	end        sync.Once
	stop, done chan struct{}
}

// Keep reads what processes before this one claimed within window, at most
// longestWindow, and from now on writes claims to a folder, which it makes if it is
// not there. Several processes may use one folder: each reads the others' claims
// at its start alone. It is called before the first claim, and once. Close must
// follow.
func (m *Memory) Keep(dir string, window time.Duration, now func() time.Time, log *slog.Logger) error {
	s, err := takeSlot(dir)
	if err != nil {
		return fmt.Errorf("open replay memory: %w", err)
	}
	k := &keeper{memory: m, dir: dir, now: now, log: log, stop: make(chan struct{}), done: make(chan struct{})}
	k.slot.Store(s)
	k.serial.Store(time.Now().UnixNano())
	m.mu.Lock()
	m.window = window
	m.mu.Unlock()
	if err := k.load(); err != nil {
		_ = s.lock.Close() // nothing was written
		return fmt.Errorf("open replay memory: %w", err)
	}
	k.merge = len(k.formers) > manyFiles
	k.noteSynced()
	m.keeper.Store(k)
	go k.run()
	return nil
}

// Close syncs what was claimed and ends the keeping. A disk that hangs holds it up
// for two seconds at most. Claims must have ended; it may be called
// more than once.
func (m *Memory) Close() {
	k := m.keeper.Load()
	if k == nil {
		return
	}
	k.end.Do(func() { close(k.stop) })
	select {
	case <-k.done:
	case <-time.After(closeTime):
	}
}

// Kept reports whether Keep was called.
func (m *Memory) Kept() bool { return m.keeper.Load() != nil }

func (k *keeper) run() {
	defer close(k.done)
	ticker := time.NewTicker(syncTime)
	defer ticker.Stop()
	for {
		select {
		case <-k.stop:
			k.tick()
			_ = k.slot.Load().lock.Close() // which gives it up
			return
		case <-ticker.C:
			k.tick()
		}
	}
}

// tick brings the folder to what the memory holds.
func (k *keeper) tick() {
	generations := k.memory.forgotten(k.now())
	k.check(generations)
	err := k.rewriteAll(generations)
	if err == nil {
		err = k.sync(generations)
	}
	if err != nil {
		k.failed(err)
		k.trouble.Store(&err)
		return
	}
	k.removeGone()
	k.removeFormers()
	k.trouble.Store(nil)
	if _, lost := k.memory.lost(); lost == nil {
		k.noteSynced()
		if k.told.Swap(false) {
			k.log.Info("the replay memory is written again, with all that was not")
		}
	}
}

func (k *keeper) sync(generations []*generation) error {
	made := false
	for _, g := range generations {
		if file := k.memory.file(g); file != nil {
			made = file.sync() || made
		}
	}
	if !made {
		return nil
	}
	return syncFolder(k.dir)
}

func (k *keeper) noteSynced() {
	now := time.Now()
	k.synced.Store(&now)
}

// check finds out which files are no longer there. Those of others may go; without
// the lock the folder is gone.
func (k *keeper) check(generations []*generation) {
	for _, g := range generations {
		if file := k.memory.file(g); file != nil {
			file.verify()
		}
	}
	if !k.slot.Load().isThere() {
		k.merge = true
	}
}

// failed says once that claims are not written.
func (k *keeper) failed(err error) {
	if !k.told.Swap(true) {
		k.log.Error("the replay memory cannot be written: a restart would forget requests; it is tried again", "error", err)
	}
}

// segment is a file that is made with its first record.
func (k *keeper) segment() *segment {
	name := fileName(k.slot.Load().number, k.serial.Add(1))
	return &segment{path: filepath.Join(k.dir, name), failed: k.failed}
}

// drop is called with the memory's lock held.
func (k *keeper) drop(s *segment) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gone = append(k.gone, s)
}

func (k *keeper) removeGone() {
	k.mu.Lock()
	gone := k.gone
	k.gone = nil
	k.mu.Unlock()
	for _, s := range gone {
		_ = s.remove() // what stays is removed at the next start
	}
}

// removeFormers removes files of which nothing counts any more. One that another
// process wrote to meanwhile is read again.
func (k *keeper) removeFormers() {
	window := k.memory.windowNow()
	var stay []former
	for _, f := range k.formers {
		if k.now().Sub(f.last) < window {
			stay = append(stay, f)
		} else if !k.discard(f) {
			stay = append(stay, k.current(f))
		}
	}
	k.formers = stay
}

// discard removes a file unless its process lives or wrote to it since it was read.
// It reports whether it is gone.
func (k *keeper) discard(f former) bool {
	if mine := k.slot.Load().number; f.slot != mine {
		lock, err := tryLock(lockPath(k.dir, f.slot))
		if lock == nil || err != nil {
			return false
		}
		defer func() { _ = lock.Close() }() // which gives it up
	}
	about, err := os.Stat(f.path)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	return about.Size() == f.size && os.Remove(f.path) == nil
}

// current is a file that counts, read again if it has grown since.
func (k *keeper) current(f former) former {
	about, err := os.Stat(f.path)
	if err != nil || about.Size() == f.size {
		return f
	}
	return k.restore(f.path, f.slot, k.released([]string{f.path}))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	err = folder.Sync()
	_ = folder.Close() // it was only synced
	return err
}
