package replay

// Claim is a request that was claimed. End must be called when the request has ended.
// The methods of a nil Claim do nothing. A Claim is for one goroutine at a time.
type Claim struct {
	memory     *Memory
	generation *generation
	entry      entry
	at         millis
	recorded   bool // in the memory's file
	sent       bool // the request may have reached the upstream
}

// Record must be called before the request is sent to the upstream. It writes the
// claim to the memory's file, if there is one: after that the claim outlives the
// process. If the file cannot be written the claim is remembered in memory, and
// written when that is possible again; Memory.Trouble reports it.
func (c *Claim) Record() {
	if c == nil {
		return
	}
	c.sent = true
	if c.memory.keeper.Load() == nil {
		return
	}
	c.recorded = true
	c.memory.mu.Lock()
	file := c.memory.fileOf(c.generation)
	c.memory.mu.Unlock()
	file.append(c.record(claimed))
}

// Unsent reports that the request did not reach the upstream after Record.
func (c *Claim) Unsent() {
	if c != nil {
		c.sent = false
	}
}

// End releases the claim, also in the file, unless the request may have reached the
// upstream: its sender may then send the same bytes again. A later claim of the same
// request is not released.
func (c *Claim) End() {
	if c != nil && !c.sent {
		c.release()
	}
}

func (c *Claim) release() {
	if file := c.forget(); file != nil {
		file.append(c.record(released))
	}
}

// forget returns the file that has the claim, if one may have it.
func (c *Claim) forget() *segment {
	m, g := c.memory, c.generation
	m.mu.Lock()
	defer m.mu.Unlock()
	if !g.remove(c.entry, c.at) {
		return nil
	}
	m.freed.add(c.entry, g, c.at)
	if !c.recorded && !g.rewritten { // then no file knows of it
		return nil
	}
	g.dead++
	return m.fileOf(g)
}

func (c *Claim) record(k kind) record {
	return record{entry: c.entry, at: c.generation.time(c.at).UnixMilli(), kind: k}
}

// freed has the entries that were released with the latest time of any released entry.
// In a file, claims of one request are distinguished by their times, so a request that
// comes again in the same millisecond is recorded with the next one.
type freed struct {
	of  *generation
	at  millis
	all map[entry]struct{}
}

func (f *freed) add(e entry, g *generation, at millis) {
	if f.all == nil || f.of != g || f.at < at {
		*f = freed{g, at, map[entry]struct{}{}}
	}
	if f.at == at {
		f.all[e] = struct{}{}
	}
}

func (f *freed) unlike(e entry, g *generation, at millis) millis {
	if _, is := f.all[e]; is && f.of == g && f.at >= at {
		return f.at + 1
	}
	return at
}
