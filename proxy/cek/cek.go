// Package cek remembers the content keys of messages that were opened, so that more
// messages under the same content key need no private-key operation.
//
// What it holds in memory opens messages for as long as it is there, hence its
// bounds: in age, in messages and bytes under each key, and in keys for all and for
// one project. Whatever goes is overwritten.
package cek

import (
	"container/list"
	"maps"
	"slices"
	"sync"
	"time"

	"kmproxy/crypto/jwe"
	"kmproxy/keys"
)

// Limits bound a Cache. All of them must be positive.
type Limits struct {
	Entries     int           // content keys at once, half of them for one project
	MaxAge      time.Duration // since the message that brought the content key
	MaxMessages int64         // opened under one content key, the one that brought it too
	MaxBytes    int64         // of their ciphertexts
}

// Owner is whose private key unwrapped a content key.
type Owner struct {
	Project keys.ASPID
	Key     keys.KeyID
}

// place is where a content key is remembered: an exact match or none.
type place struct {
	owner   Owner
	wrapped jwe.Wrapped
}

type entry struct {
	place
	key             jwe.ContentKey
	since           time.Time
	messages        int64
	bytes           int64
	all, mine, born *list.Element // in the lists of all, of the project, and by age
}

// Cache is safe for concurrent use. A nil Cache remembers nothing.
type Cache struct {
	limits Limits

	mu       sync.Mutex
	entries  map[place]*entry
	all      *list.List // of *entry, the last used first
	projects map[keys.ASPID]*list.List
	ages     *list.List    // of *entry, the youngest comes first
	owners   map[Owner]int // how many content keys each has
	hits     int64
	closed   bool
}

// New makes an empty Cache.
func New(l Limits) *Cache {
	return &Cache{limits: l, entries: map[place]*entry{}, all: list.New(), projects: map[keys.ASPID]*list.List{},
		ages: list.New(), owners: map[Owner]int{}}
}

// Open opens a message if its content key is remembered for the owner, and may open
// one more. Else known is false, and the message is as it was. The error is jwe.ErrOpen.
func (c *Cache) Open(o Owner, m jwe.Message, now time.Time) (plain jwe.Plaintext, known bool, err error) {
	key, known := c.take(place{o, m.Wrapped()}, m, now)
	if !known {
		return jwe.Plaintext{}, false, nil
	}
	defer key.Wipe()
	plain, err = key.Open(m)
	return plain, true, err
}

// take returns a copy of a content key, which the caller must wipe: the one that is
// remembered may be wiped at any time.
func (c *Cache) take(p place, m jwe.Message, now time.Time) (jwe.ContentKey, bool) {
	if c == nil || m.Flawed() {
		return jwe.ContentKey{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[p]
	if e == nil {
		return jwe.ContentKey{}, false
	}
	e.messages++
	e.bytes += int64(m.CiphertextBytes())
	if c.worn(e, now) {
		c.forget(e)
		return jwe.ContentKey{}, false
	}
	c.all.MoveToFront(e.all)
	c.projects[p.owner.Project].MoveToFront(e.mine)
	c.hits++
	return e.key.Clone(), true
}

// worn reports whether an entry exceeds a limit.
func (c *Cache) worn(e *entry, now time.Time) bool {
	age := now.Sub(e.since)
	return age < 0 || age >= c.limits.MaxAge || e.messages > c.limits.MaxMessages || e.bytes > c.limits.MaxBytes
}

// Remember takes over the content key that a message of the owner was opened with.
func (c *Cache) Remember(o Owner, key jwe.ContentKey, m jwe.Message, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &entry{place: place{o, key.Wrapped()}, key: key, since: now, messages: 1, bytes: int64(m.CiphertextBytes())}
	if c.closed || c.entries[e.place] != nil || c.worn(e, now) {
		key.Wipe()
		return
	}
	c.makeRoom(o.Project)
	mine := c.projects[o.Project]
	if mine == nil {
		mine = list.New()
		c.projects[o.Project] = mine
	}
	c.entries[e.place] = e
	c.owners[o]++
	e.all, e.mine, e.born = c.all.PushFront(e), mine.PushFront(e), c.ages.PushFront(e)
}

// makeRoom forgets the key that the project has not used for longest if its share is
// full, and the key that was not used for longest of all if the cache is full.
func (c *Cache) makeRoom(project keys.ASPID) {
	if mine := c.projects[project]; mine != nil && mine.Len() >= max(1, c.limits.Entries/2) {
		c.forget(mine.Back().Value.(*entry))
	}
	if c.all.Len() >= c.limits.Entries {
		c.forget(c.all.Back().Value.(*entry))
	}
}

// forget overwrites and removes an entry.
func (c *Cache) forget(e *entry) {
	e.key.Wipe()
	delete(c.entries, e.place)
	if c.owners[e.owner]--; c.owners[e.owner] == 0 {
		delete(c.owners, e.owner)
	}
	c.all.Remove(e.all)
	c.ages.Remove(e.born)
	mine := c.projects[e.owner.Project]
	mine.Remove(e.mine)
	if mine.Len() == 0 {
		delete(c.projects, e.owner.Project)
	}
}

// Sweep forgets what is too old, and what belongs to a key that is not usable any
// more. It looks through all content keys only if there is such a key, and asks
// without holding up those who open.
func (c *Cache) Sweep(now time.Time, usable func(Owner) bool) {
	gone := map[Owner]bool{}
	for _, o := range c.forgetOld(now) {
		if !usable(o) {
			gone[o] = true
		}
	}
	if len(gone) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		if gone[e.owner] {
			c.forget(e)
		}
	}
}

// forgetOld returns the owners of what is left.
func (c *Cache) forgetOld(now time.Time) []Owner {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range []func() *list.Element{c.ages.Back, c.ages.Front} { // the front has those with a time in the future
		for at := end(); at != nil && c.worn(at.Value.(*entry), now); at = end() {
			c.forget(at.Value.(*entry))
		}
	}
	return slices.Collect(maps.Keys(c.owners))
}

// Close forgets everything, and what comes later too.
func (c *Cache) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, e := range c.entries {
		c.forget(e)
	}
}

// Held is how many content keys are remembered.
func (c *Cache) Held() int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// Hits is how many messages were opened without the private key.
func (c *Cache) Hits() int64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits
}
