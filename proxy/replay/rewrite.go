package replay

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// lateTime is after how long without a sync that is said.
const lateTime = 10 * time.Second

// Trouble says why claims are not written, and how many would be forgotten by a
// restart now; nil if all are. The error quotes paths of the folder.
func (m *Memory) Trouble() error {
	k := m.keeper.Load()
	if k == nil {
		return nil
	}
	lost, err := m.lost()
	if last := k.trouble.Load(); err == nil && last != nil {
		err = *last
	}
	if err == nil && time.Since(*k.synced.Load()) > lateTime {
		err = fmt.Errorf("not synced for more than %v", lateTime)
	}
	if err != nil {
		return fmt.Errorf("the replay memory is not written: a restart would forget %d requests or more: %w", lost, err)
	}
	return nil
}

// Unwritten is how many claims and releases are not in a file.
func (m *Memory) Unwritten() int {
	lost, _ := m.lost()
	return lost
}

func (m *Memory) lost() (records int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range m.generations {
		if g.file != nil {
			n, failed := g.file.trouble()
			records += n
			err = cmp.Or(err, failed)
		}
	}
	return records, err
}

func (m *Memory) file(g *generation) *segment {
	m.mu.Lock()
	defer m.mu.Unlock()
	return g.file
}

// fileOf is where records of a generation go. The caller holds mu.
func (m *Memory) fileOf(g *generation) *segment {
	if g.file == nil {
		g.file = m.keeper.Load().segment()
	}
	return g.file
}

func (m *Memory) windowNow() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.window
}

// forgotten are the generations without those that count no more.
func (m *Memory) forgotten(now time.Time) []*generation {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(now)
	return append([]*generation(nil), m.generations...)
}

// rewriteAll rewrites the generations whose files failed or have many releases, and all
// generations if the formers are to be removed.
func (k *keeper) rewriteAll(generations []*generation) error {
	for _, g := range generations {
		if !k.merge && !k.memory.wantsRewrite(g) {
			continue
		}
		if err := k.rewrite(g); err != nil {
			return err
		}
	}
	if k.merge {
		for _, f := range k.formers {
			k.discard(f)
		}
		k.formers, k.merge = nil, false
	}
	return nil
}

func (m *Memory) wantsRewrite(g *generation) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.file == nil {
		return false
	}
	_, err := g.file.trouble()
	return err != nil || g.dead > max(slack, len(g.seen))
}

// rewrite writes a generation to a new file, syncs it, and removes the one before.
// Claims and releases go to the new file from the moment of which the copy is; if it
// fails, that file is given up, and the next attempt has all.
func (k *keeper) rewrite(g *generation) error {
	if err := k.settle(); err != nil {
		k.failed(err)
		return err
	}
	next := k.segment()
	before, content, counts := k.memory.swap(g, next)
	if !counts {
		return nil
	}
	next.fill(content)
	next.sync()
	if _, err := next.trouble(); err != nil {
		k.memory.giveUp(g, before, next, err)
		return err
	}
	if before != nil {
		return before.remove()
	}
	return nil
}

// settle takes a slot again if the folder is not the one in which it was taken.
func (k *keeper) settle() error {
	former := k.slot.Load()
	if former.isThere() {
		return nil
	}
	s, err := takeSlot(k.dir)
	if err != nil {
		return err
	}
	k.slot.Store(s)
	_ = former.lock.Close() // nothing can find it any more
	return nil
}

// swap gives a generation another file and returns what it holds, unless it counts
// no more.
func (m *Memory) swap(g *generation, next *segment) (before *segment, content []record, counts bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.generations, g) {
		return nil, nil, false
	}
	before, g.file, g.rewritten, g.dead = g.file, next, true, 0
	content = make([]record, 0, len(g.seen))
	for e, at := range g.seen {
		content = append(content, record{e, g.time(at).UnixMilli(), claimed})
	}
	return before, content, true
}

// giveUp goes back to the file before, which takes no more records, and removes the
// one that failed.
func (m *Memory) giveUp(g *generation, before, failed *segment, err error) {
	_ = failed.remove() // what stays is read at the next start, and true
	if before == nil {
		before = &segment{path: failed.path, failed: failed.failed}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if g.file == failed {
		before.mu.Lock()
		before.err, before.lost = cmp.Or(before.err, err), len(g.seen)
		before.mu.Unlock()
		g.file = before
	}
}

// fill writes many records, a part at a time.
func (s *segment) fill(all []record) {
	var content []byte
	for part := range slices.Chunk(all, 4096) {
		content = content[:0]
		for _, r := range part {
			content = r.appendTo(content)
		}
		s.appendAll(content)
	}
}
