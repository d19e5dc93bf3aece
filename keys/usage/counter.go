// Package usage counts who uses which key. Counting is cheap enough for every
// request: no lock and no write.
package usage

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/keys"
)

// Counter counts in memory. The zero value is ready to use. It is safe for
// concurrent use.
type Counter struct{ cells sync.Map }

// what is counted apart.
type what struct {
	aspID     keys.ASPID
	keyID     keys.KeyID
	direction keys.Direction
	suite     alg.Suite
}

type cell struct {
	requests atomic.Uint64
	last     atomic.Int64 // Unix seconds
}

// Count adds one use.
func (c *Counter) Count(id keys.ASPID, key keys.KeyID, d keys.Direction, s alg.Suite, now time.Time) {
	w := what{id, key, d, s}
	found, ok := c.cells.Load(w)
	if !ok {
		found, _ = c.cells.LoadOrStore(w, new(cell))
	}
	counted := found.(*cell)
	counted.requests.Add(1)
	// two requests in one second may store either's time: they are the same
	if at := now.Unix(); counted.last.Load() < at {
		counted.last.Store(at)
	}
}

// uses is what was counted so far.
func (c *Counter) uses() []keys.Use {
	var out []keys.Use
	c.cells.Range(func(k, v any) bool {
		w, counted := k.(what), v.(*cell)
		out = append(out, keys.Use{ASPID: w.aspID, KeyID: w.keyID, Direction: w.direction, Alg: w.suite.Name(),
			Requests: counted.requests.Load(), LastUsed: time.Unix(counted.last.Load(), 0).UTC()})
		return true
	})
	return sorted(out)
}

// Sum adds up what several processes counted: one use for each project, key,
// direction and alg.
func Sum(lists ...[]keys.Use) []keys.Use {
	total := map[keys.Use]keys.Use{}
	for _, list := range lists {
		for _, u := range list {
			id := keys.Use{ASPID: u.ASPID, KeyID: u.KeyID, Direction: u.Direction, Alg: u.Alg}
			sum := total[id]
			sum.ASPID, sum.KeyID, sum.Direction, sum.Alg = u.ASPID, u.KeyID, u.Direction, u.Alg
			sum.Requests += u.Requests
			if u.LastUsed.After(sum.LastUsed) {
				sum.LastUsed = u.LastUsed
			}
			total[id] = sum
		}
	}
	out := make([]keys.Use, 0, len(total))
	for _, u := range total {
		out = append(out, u)
	}
	return sorted(out)
}

// sorted puts uses in the order of projects, keys, directions and algs.
func sorted(uses []keys.Use) []keys.Use {
	slices.SortFunc(uses, func(a, b keys.Use) int {
		return cmp.Or(cmp.Compare(a.ASPID, b.ASPID), cmp.Compare(a.KeyID, b.KeyID),
			cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Alg, b.Alg))
	})
	return uses
}
