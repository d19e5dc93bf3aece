// Package replay remembers which requests were processed, so that a captured one
// does nothing a second time: a token's MAC covers the body alone, so that a
// captured request can be given another date.
//
// A Memory forgets when the process ends, unless Keep gave it a folder. Then what
// it claimed outlives kill -9 from Claim.Record on, and a power cut from the next
// sync on, which is a second later.
package replay

import (
	"errors"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"kmproxy/keys"
)

// What Claim refuses.
var (
	ErrReplayed = errors.New("the request was processed before, or is being processed")
	ErrFull     = errors.New("the replay memory is full: a request that cannot be remembered must not be processed")
)

// ID identifies a request among those of its project.
type ID [16]byte

// Limits bound a Memory. An entry takes about 45 bytes, now and then 55, and stays for the window
// and at most an eighth of it longer.
type Limits struct {
	Entries    int // in all
	PerProject int // of those, so that no project fills it alone
}

// longestWindow is how long a Memory can remember a request, in days of 24 hours.
const longestWindow = 90 * 24 * time.Hour

// Memory is safe for concurrent use.
type Memory struct {
	limits Limits
	keeper atomic.Pointer[keeper] // nil: it forgets when the process ends

	mu          sync.Mutex
	window      time.Duration // of the last claim
	generations []*generation // the newest last; no other gets claims
	freed       freed
}

// entry is an ID of a project.
type entry struct {
	id      ID
	project number
}

// number represents a project, here and in files. Two projects may share one: then
// they share what one project may hold, but no request, for a MAC under one secret
// is not one under another.
type number uint32

func numberOf(project keys.ASPID) number {
	h := fnv.New32a()
	_, _ = h.Write([]byte(project)) // never fails
	return number(h.Sum32())
}

// New makes an empty Memory, which takes no space for what it may hold.
func New(l Limits) *Memory { return &Memory{limits: l} }

// Claim remembers a request, before anything is done for it. It is refused if the
// same was claimed within window, which is at most longestWindow, and not released
// since. Errors: ErrReplayed, ErrFull.
func (m *Memory) Claim(project keys.ASPID, id ID, window time.Duration, now time.Time) (*Claim, error) {
	e := entry{id, numberOf(project)}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.window = window
	newest := m.age(now)
	held := 0
	for _, g := range m.generations {
		if at, known := g.seen[e]; known && now.Sub(g.time(at)) < window {
			return nil, ErrReplayed
		}
		held += g.held[e.project]
	}
	if held >= m.limits.PerProject || m.held() >= m.limits.Entries {
		return nil, ErrFull
	}
	at := m.freed.unlike(e, newest, newest.offset(now))
	newest.put(e, at) // it is not in there: that would be younger than a window
	return &Claim{memory: m, generation: newest, entry: e, at: at}, nil
}

// held is how many entries there are. The caller holds mu.
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
