package listen

import (
	"container/heap"
	"container/list"
	"net/netip"
)

// network is the connections from one place.
type network struct {
	prefix      netip.Prefix
	trusted     bool // a proxy that is trusted to bring the connections of many
	count       int
	fresh, idle list.List // of *guest, those first that have been there longest
	strange     list.List // the same, of those that have a request but none that was verified
	at          int       // where in resting, or notResting
}

const notResting = -1

// longest is the connection that makes room for another: the longest idle one, or if
// none is idle, the oldest that never sent a request, or if there is none either, the
// one whose request has been unfinished longest and of which none was verified.
func (n *network) longest() *guest {
	for _, l := range []*list.List{&n.idle, &n.fresh} {
		if e := l.Front(); e != nil {
			return e.Value.(*guest)
		}
	}
	return n.strange.Front().Value.(*guest)
}

func (n *network) rests() bool { return n.idle.Len()+n.fresh.Len()+n.strange.Len() > 0 }

// resting is a heap of the networks that have a connection which could make
// room: first the one with the most connections; trusted proxies after all others.
type resting []*network

// update puts a network where it belongs.
func (r *resting) update(n *network) {
	switch {
	case n.at == notResting && n.rests():
		heap.Push(r, n)
	case n.at != notResting && !n.rests():
		heap.Remove(r, n.at)
	case n.at != notResting:
		heap.Fix(r, n.at)
	}
}

func (r resting) Len() int { return len(r) }

func (r resting) Less(i, j int) bool {
	if r[i].trusted != r[j].trusted {
		return r[j].trusted
	}
	return r[i].count > r[j].count
}

func (r resting) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].at, r[j].at = i, j
}

// Push implements heap.Interface.
func (r *resting) Push(n any) {
	n.(*network).at = len(*r)
	*r = append(*r, n.(*network))
}

// Pop implements heap.Interface.
func (r *resting) Pop() any {
	last := len(*r) - 1
	n := (*r)[last]
	n.at = notResting
	(*r)[last] = nil
	*r = (*r)[:last]
	return n
}
