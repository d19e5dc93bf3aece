package proxy

import (
	"errors"
	"sync"

	"kmproxy/keys"
)

// Calls bounds the calls that are pending at the upstream. A project may have no more
// of them than there is room left: alone it has at most half, and however many
// projects wait for slow answers, there is room for another one. It is safe for
// concurrent use; it outlives the Proxies that share it.
type Calls struct {
	most int
	mu   sync.Mutex
	all  int
	of   map[keys.ASPID]int
}

// NewCalls returns a Calls for at most that many pending calls; most must be at least 2.
func NewCalls(most int) *Calls { return &Calls{most: most, of: map[keys.ASPID]int{}} }

// Pending returns how many calls are pending.
func (c *Calls) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// hasRoom reports whether a call of the project would be let in now.
func (c *Calls) hasRoom(project keys.ASPID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[project] < c.most-c.all
}

// begin reports whether a call of the project may begin. If so, end must follow.
func (c *Calls) begin(project keys.ASPID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[project] >= c.most-c.all {
		return false
	}
	c.of[project]++
	c.all++
	return true
}

func (c *Calls) end(project keys.ASPID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.of[project]--; c.of[project] == 0 {
		delete(c.of, project)
	}
}

var errTooManyCalls = errors.New("too many calls are pending at the upstream, of the project or in all")
