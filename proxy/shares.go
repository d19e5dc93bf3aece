package proxy

import (
	"net/netip"
	"time"

	"kmproxy/keys"
)

// What follows is called with the budget's mutex held.

// reserve adds bytes to an account. It returns the requests that were given up for
// it, which the caller must wake once the mutex is released.
func (b *Budget) reserve(a *account, bytes int64) (victims []*account, err error) {
	switch {
	case a.givenUp:
		return nil, errGivenUp
	case a.project != "":
		if !b.fair(a.project, bytes) {
			return nil, errShareUsed
		}
	default:
		if victims, err = b.makeRoom(a, bytes); err != nil {
			return victims, err
		}
	}
	b.add(a, bytes)
	return victims, nil
}

// fair reports whether a project may reserve bytes more: as much as is left free
// then, or, for its only request, three quarters of the whole.
func (b *Budget) fair(id keys.ASPID, bytes int64) bool {
	p, free := b.projects[id], b.most-b.held-bytes
	if p.requests == 1 && p.bytes+bytes <= b.most/4*3 {
		return free >= 0
	}
	return p.bytes+bytes <= free
}

// makeRoom gives up unverified requests until one more has room in their share.
func (b *Budget) makeRoom(a *account, bytes int64) (victims []*account, err error) {
	share := b.most / 4
	network := share / 4 * 3 // of it, for one
	for b.networks[a.from].bytes+bytes > network || b.waiting+bytes > share {
		v := b.victim(a, b.networks[a.from].bytes+bytes > network, bytes)
		if v == nil {
			break
		}
		b.giveUp(v)
		victims = append(victims, v)
	}
	// the only request of a network may need more than its share, for a large body
	if b.waiting+bytes > share && b.waiting+bytes > b.most/2 || b.isLeaving(a, bytes) || b.held+bytes > b.most {
		return victims, errGivenUp
	}
	if n := b.networks[a.from]; n.bytes > a.bytes && n.bytes+bytes > network {
		return victims, errGivenUp
	}
	return victims, nil
}

// isLeaving reports whether an account must wait because too much memory of requests
// that were given up is not free yet. A network that holds little is not kept out by
// what others gave up.
func (b *Budget) isLeaving(a *account, bytes int64) bool {
	n := b.networks[a.from]
	return b.leaving > b.most/4 && n.bytes+n.leaving+bytes > b.most/littleOf
}

// littleOf is the part of the budget that counts as little for one network.
const littleOf = 64

// victim returns the oldest request, but for a itself, of a's own network or of
// the network that holds most; nil if a would be the one that holds most.
func (b *Budget) victim(a *account, own bool, bytes int64) *account {
	if own {
		return oldestBut(b.networks[a.from], a)
	}
	var found *account
	most := b.networks[a.from].bytes + bytes
	for _, n := range b.networks {
		v := oldestBut(n, a)
		if v == nil || n.bytes < most || n.bytes == most && found != nil && !v.since.Before(found.since) {
			continue
		}
		found, most = v, n.bytes
	}
	return found
}

func oldestBut(n network, a *account) *account {
	if n.first == a {
		return a.next
	}
	return n.first
}

// giveUp takes a request out of its network's share. Its memory counts until it
// has ended.
func (b *Budget) giveUp(v *account) {
	b.unlink(v)
	b.countLeaving(v.from, v.bytes)
	v.givenUp = true
}

// countLeaving counts bytes, which may be negative, of requests that were given up.
func (b *Budget) countLeaving(from netip.Prefix, bytes int64) {
	b.leaving += bytes
	n := b.networks[from]
	n.leaving += bytes
	b.put(from, n)
}

// put keeps what a network holds, or forgets the network if that is nothing.
func (b *Budget) put(from netip.Prefix, n network) {
	if n.first == nil && n.leaving == 0 {
		delete(b.networks, from)
		return
	}
	b.networks[from] = n
}

// add counts bytes, which may be negative, to the share that the account belongs to.
func (b *Budget) add(a *account, bytes int64) {
	fresh := a.bytes == 0 && bytes > 0
	a.bytes += bytes
	b.held += bytes
	switch {
	case a.givenUp:
		b.countLeaving(a.from, bytes)
	case a.project != "":
		p := b.projects[a.project]
		p.bytes += bytes
		b.projects[a.project] = p
	case fresh:
		b.link(a)
	case a.bytes > 0 || bytes < 0:
		n := b.networks[a.from]
		n.bytes += bytes
		b.networks[a.from] = n
		b.waiting += bytes
	}
}

// link makes an account the newest of its network.
func (b *Budget) link(a *account) {
	n := b.networks[a.from]
	if a.prev = n.last; a.prev == nil {
		n.first = a
	} else {
		a.prev.next = a
	}
	n.last = a
	n.bytes += a.bytes
	b.networks[a.from] = n
	b.waiting += a.bytes
	b.sweepLater()
}

func (b *Budget) unlink(a *account) {
	n := b.networks[a.from]
	if a.prev == nil {
		n.first = a.next
	} else {
		a.prev.next = a.next
	}
	if a.next == nil {
		n.last = a.prev
	} else {
		a.next.prev = a.prev
	}
	a.prev, a.next = nil, nil
	b.waiting -= a.bytes
	n.bytes -= a.bytes
	b.put(a.from, n)
}

func (b *Budget) move(a *account, id keys.ASPID) {
	if a.project == "" {
		b.unlink(a)
	} else {
		b.leave(a)
	}
	a.project = id
	p := b.projects[id]
	b.projects[id] = project{p.bytes + a.bytes, p.requests + 1}
}

// remove forgets an account.
func (b *Budget) remove(a *account) {
	b.held -= a.bytes
	switch {
	case a.givenUp:
		b.countLeaving(a.from, -a.bytes)
	case a.project != "":
		b.leave(a)
	case a.bytes > 0:
		b.unlink(a)
	}
	a.bytes = 0
}

// leave takes an account out of its project's share.
func (b *Budget) leave(a *account) {
	p := b.projects[a.project]
	if p.requests == 1 {
		delete(b.projects, a.project)
		return
	}
	b.projects[a.project] = project{p.bytes - a.bytes, p.requests - 1}
}

// The least rate of a body whose sender is not verified yet.
const (
	grace     = 5 * time.Second // with any rate
	leastRate = 2 << 10         // bytes a second, after that
	sweep     = time.Second
)

// sweepLater looks for slow bodies in a second, and again as long as there are
// unverified requests.
func (b *Budget) sweepLater() {
	if !b.sweeping {
		b.sweeping = true
		time.AfterFunc(sweep, b.sweepSlow)
	}
}

// sweepSlow gives up the requests whose bodies come too slowly. It takes the mutex.
func (b *Budget) sweepSlow() {
	b.mu.Lock()
	var slow []*account
	now := time.Now()
	for _, n := range b.networks {
		for a := n.first; a != nil; a = a.next {
			if now.Sub(a.since) > grace+time.Duration(a.received.Load())*time.Second/leastRate {
				slow = append(slow, a)
			}
		}
	}
	for _, a := range slow {
		b.giveUp(a)
	}
	b.sweeping = false
	if len(b.networks) > 0 {
		b.sweepLater()
	}
	b.mu.Unlock()
	for _, a := range slow {
		a.giveUp(true)
	}
}
