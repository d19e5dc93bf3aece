// Package replay remembers which requests were processed, so that a captured one
// does nothing a second time: a token's MAC covers the body alone, and whoever
// has a request could date it anew.
package replay

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"kmproxy/keys"
)

// What Claim refuses.
var (
	ErrReplayed = errors.New("the request was processed before, or is being processed")
	ErrFull     = errors.New("the replay memory is full: a request that cannot be remembered must not be processed")
)

// ID is what makes a request the same as another of the same project.
type ID [16]byte

// Encrypted is the ID of a request with an encrypted body: the MAC over it, for
// no two encryptions agree. It does not matter where it was sent, or how dated.
func Encrypted(mac [sha256.Size]byte) ID { return ID(mac[:len(ID{})]) }

// Plain is the ID of a request with a plain body. Such bodies repeat honestly, so
// that the token's time and the correlation id belong to it.
func Plain(mac [sha256.Size]byte, tokenTime time.Time, correlationID string) ID {
	text := binary.BigEndian.AppendUint64(mac[:], uint64(tokenTime.UnixMilli()))
	sum := sha256.Sum256(append(text, correlationID...))
	return ID(sum[:len(ID{})])
}

// Limits bound a Memory. An entry takes about 55 bytes, and stays for the window
// and at most as long again.
type Limits struct {
	Entries    int // in all
	PerProject int // of those, so that no project fills it alone
}

// Memory is safe for concurrent use. It forgets when the process ends.
type Memory struct {
	limits Limits
	start  time.Time // what entries count their time from

	mu       sync.Mutex
	now      generation // what was claimed since it began
	before   generation // what was claimed in the window before
	projects map[keys.ASPID]uint32
}

// generation is what was claimed in a time of one window. Two of them hold
// everything that counts, and an old one goes as a whole.
type generation struct {
	begun time.Time
	seen  map[entry]millis
	held  map[keys.ASPID]int
}

// entry is an ID of a project, by the number it was given here.
type entry struct {
	id      ID
	project uint32
}

// millis since the start of a Memory. They wrap around after 49 days, which is
// longer than any window.
type millis uint32

// New makes an empty Memory, which takes no space for what it may hold.
func New(l Limits, now time.Time) *Memory {
	return &Memory{limits: l, start: now, now: newGeneration(now), before: newGeneration(now), projects: map[keys.ASPID]uint32{}}
}

func newGeneration(now time.Time) generation {
	return generation{begun: now, seen: map[entry]millis{}, held: map[keys.ASPID]int{}}
}

// Claim remembers a request, before anything is done for it. It is refused if the
// same was claimed within window and not released since. Errors: ErrReplayed,
// ErrFull.
func (m *Memory) Claim(project keys.ASPID, id ID, window time.Duration, now time.Time) (*Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.age(window, now)
	e, at := entry{id, m.number(project)}, millis(now.Sub(m.start).Milliseconds())
	for _, g := range []generation{m.now, m.before} {
		if then, known := g.seen[e]; known && time.Duration(at-then)*time.Millisecond < window {
			return nil, ErrReplayed
		}
	}
	if m.now.held[project]+m.before.held[project] >= m.limits.PerProject || m.held() >= m.limits.Entries {
		return nil, ErrFull
	}
	if _, again := m.now.seen[e]; !again {
		m.now.held[project]++
	}
	m.now.seen[e] = at
	return &Claim{m, project, e}, nil
}

// age starts a new generation when the present one has lasted for a window.
func (m *Memory) age(window time.Duration, now time.Time) {
	switch old := now.Sub(m.now.begun); {
	case old >= 2*window:
		m.before, m.now = newGeneration(now), newGeneration(now)
	case old >= window:
		m.before, m.now = m.now, newGeneration(now)
	}
}

// number is a project's own, for as long as the process lives.
func (m *Memory) number(project keys.ASPID) uint32 {
	n, known := m.projects[project]
	if !known {
		n = uint32(len(m.projects))
		m.projects[project] = n
	}
	return n
}

func (m *Memory) held() int { return len(m.now.seen) + len(m.before.seen) }

// Len is how many requests are remembered.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held()
}

// Claim is a request that was claimed. A nil Claim is of nothing.
type Claim struct {
	memory  *Memory
	project keys.ASPID
	entry   entry
}

// Release forgets the request: it never reached anybody, and its sender may send
// the same bytes again. It may be called once.
func (c *Claim) Release() {
	if c == nil {
		return
	}
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	for _, g := range []generation{c.memory.now, c.memory.before} {
		if _, here := g.seen[c.entry]; here {
			delete(g.seen, c.entry)
			g.held[c.project]--
			return
		}
	}
}
