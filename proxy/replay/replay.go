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

// Limits bound a Memory. An entry takes about 45 bytes, now and then 55, and stays for the window
// and at most an eighth of it longer.
type Limits struct {
	Entries    int // in all
	PerProject int // of those, so that no project fills it alone
}

// Memory is safe for concurrent use. It forgets when the process ends.
type Memory struct {
	limits Limits
	start  time.Time // what entries count their time from

	mu          sync.Mutex
	generations []*generation // the newest last; no other gets entries
	projects    map[keys.ASPID]uint32
}

// perWindow is how many generations a window is cut into: with more of them less
// is held that is no longer needed, and each is one more place to look.
const perWindow = 8

// generation is what was claimed in one part of a window. It goes as a whole, when
// the last of it counts no more.
type generation struct {
	begun, last time.Time
	seen        map[entry]millis
	held        map[keys.ASPID]int
}

// entry is an ID of a project, by the number it was given here.
type entry struct {
	id      ID
	project uint32
}

// millis since the start of a Memory. They wrap around, so that a difference holds
// up to 24 days either way, which is longer than any window.
type millis uint32

// since is below zero if then is later: whoever read the clock first may get here
// last.
func (at millis) since(then millis) time.Duration {
	return time.Duration(int32(at-then)) * time.Millisecond
}

// New makes an empty Memory, which takes no space for what it may hold.
func New(l Limits, now time.Time) *Memory {
	return &Memory{limits: l, start: now, projects: map[keys.ASPID]uint32{}}
}

// Claim remembers a request, before anything is done for it. It is refused if the
// same was claimed within window and not released since. Errors: ErrReplayed,
// ErrFull.
func (m *Memory) Claim(project keys.ASPID, id ID, window time.Duration, now time.Time) (*Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := m.age(window, now)
	e, at, held := entry{id, m.number(project)}, millis(now.Sub(m.start).Milliseconds()), 0
	for _, g := range m.generations {
		if then, known := g.seen[e]; known && at.since(then) < window {
			return nil, ErrReplayed
		}
		held += g.held[project]
	}
	if held >= m.limits.PerProject || m.held() >= m.limits.Entries {
		return nil, ErrFull
	}
	newest.held[project]++ // it is not in there: that would be younger than a window
	newest.seen[e] = at
	return &Claim{m, project, e, at}, nil
}

// age forgets what counts no more and returns the generation that is now.
func (m *Memory) age(window time.Duration, now time.Time) *generation {
	for len(m.generations) > 0 && now.Sub(m.generations[0].last) >= window {
		m.generations = m.generations[1:]
	}
	if n := len(m.generations); n == 0 || now.Sub(m.generations[n-1].begun) >= window/perWindow {
		m.generations = append(m.generations, &generation{begun: now, last: now, seen: map[entry]millis{}, held: map[keys.ASPID]int{}})
	}
	newest := m.generations[len(m.generations)-1]
	if now.After(newest.last) {
		newest.last = now
	}
	return newest
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

func (m *Memory) held() int {
	n := 0
	for _, g := range m.generations {
		n += len(g.seen)
	}
	return n
}

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
	at      millis
}

// Release forgets the request: it never reached anybody, and its sender may send
// the same bytes again. What was claimed anew since then is not forgotten.
func (c *Claim) Release() {
	if c == nil {
		return
	}
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	for _, g := range c.memory.generations {
		if at, here := g.seen[c.entry]; here && at == c.at {
			delete(g.seen, c.entry)
			g.held[c.project]--
		}
	}
}
