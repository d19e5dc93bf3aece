package replay

import (
	"slices"
	"time"
)

// perWindow is how many generations a window is cut into: with more of them less
// is held that is no longer needed, and each is one more place to look.
const perWindow = 8

// generation is what was claimed in one part of a window. It goes as a whole, with
// its file, when the last of it counts no more.
type generation struct {
	begun, last time.Time
	seen        map[entry]millis
	held        map[number]int

	file      *segment // nil: nothing of it was recorded here
	rewritten bool     // its file may hold claims that nothing was recorded of
	dead      int      // releases in its file
}

// millis since a generation's begin: 49 days, of which a generation of the longest
// window takes 11.
type millis uint32

// newGeneration begins at a whole millisecond, as files have it.
func newGeneration(begun time.Time) *generation {
	begun = wholeMillis(begun)
	return &generation{begun: begun, last: begun, seen: map[entry]millis{}, held: map[number]int{}}
}

// wholeMillis keeps the reading of the monotonic clock, which Truncate does not.
func wholeMillis(t time.Time) time.Time {
	return t.Add(-time.Duration(t.Nanosecond()) % time.Millisecond)
}

func (g *generation) time(at millis) time.Time {
	return g.begun.Add(time.Duration(at) * time.Millisecond)
}

// offset is a moment as it is kept, rounded up, so that nothing is forgotten early.
// One before the begin counts as the begin: the first to read the clock may get here
// last.
func (g *generation) offset(now time.Time) millis {
	return millis(max(0, (now.Sub(g.begun) + time.Millisecond - 1).Milliseconds()))
}

func (g *generation) put(e entry, at millis) {
	if _, known := g.seen[e]; !known {
		g.held[e.project]++
	}
	g.seen[e] = at
	if t := g.time(at); t.After(g.last) {
		g.last = t
	}
}

// remove reports whether the entry of that moment was there.
func (g *generation) remove(e entry, at millis) bool {
	if then, known := g.seen[e]; !known || then != at {
		return false
	}
	delete(g.seen, e)
	g.held[e.project]--
	return true
}

// takes reports whether what happens now belongs to the generation: its part of the
// window is not over, and the clock was not set since it began.
func (g *generation) takes(now time.Time, span time.Duration) bool {
	since := now.Sub(g.begun)
	set := time.Duration(now.UnixMilli()-g.begun.UnixMilli())*time.Millisecond - since
	return since < span && since > -span && set.Abs() < time.Second
}

// age forgets what counts no more and returns the generation that is now. The
// caller holds mu.
func (m *Memory) age(now time.Time) *generation {
	m.forget(now)
	span := m.span()
	if n := len(m.generations); n == 0 || !m.generations[n-1].takes(now, span) {
		m.generations = append(m.generations, newGeneration(now))
	}
	newest := m.generations[len(m.generations)-1]
	if now.After(newest.last) {
		newest.last = now
	}
	return newest
}

// span is how long a generation takes claims.
func (m *Memory) span() time.Duration { return max(m.window/perWindow, time.Millisecond) }

func (m *Memory) forget(now time.Time) {
	over := func(g *generation) bool { return now.Sub(g.last) >= m.window }
	if !slices.ContainsFunc(m.generations, over) {
		return
	}
	var stay []*generation // another array: a rewrite may be looking at this one
	for _, g := range m.generations {
		if !over(g) {
			stay = append(stay, g)
		} else if g.file != nil {
			m.keeper.Load().drop(g.file)
		}
	}
	m.generations = stay
}

// restore puts in what a process before this one claimed. Its moment is on the wall
// clock; what seems to come from the future counts as claimed now. It reports false
// when the memory is full. The caller holds mu.
func (m *Memory) restore(e entry, at, now time.Time) bool {
	age := max(0, time.UnixMilli(now.UnixMilli()).Sub(at))
	if age >= m.window {
		return true
	}
	if m.held() >= m.limits.Entries {
		return false
	}
	at = now.Add(-age) // as far as this process can tell
	g := m.generationOf(at, now)
	g.put(e, max(g.seen[e], g.offset(at)))
	return true
}

// generationOf is where a moment before now belongs. They begin at multiples of
// their length before now, so that a few hold all.
func (m *Memory) generationOf(at, now time.Time) *generation {
	span := m.span()
	begun := wholeMillis(now.Add(-(now.Sub(at)/span + 1) * span).Add(time.Millisecond))
	i, found := slices.BinarySearchFunc(m.generations, begun, func(g *generation, t time.Time) int { return g.begun.Compare(t) })
	if !found {
		m.generations = slices.Insert(m.generations, i, newGeneration(begun))
	}
	return m.generations[i]
}
