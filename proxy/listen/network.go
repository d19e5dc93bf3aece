package listen

import (
	"container/heap"
	"container/list"
	"net/netip"
)

// network is the connections from one network of client addresses.
type network struct {
	prefix      netip.Prefix
	trusted     bool // a trusted proxy, whose connections are of many clients
	count       int
	fresh, idle list.List // of *tableConn, the oldest first
	unverified  list.List // the same, with an unfinished request and nothing verified
	at          int       // the index in evictableNetworks, or notInHeap
}

const notInHeap = -1

// candidate returns the connection to close for another: the longest idle one, or if
// none is idle, the oldest without a request, or if there is none either, the one with
// the longest unfinished request and nothing verified.
func (n *network) candidate() *tableConn {
	for _, l := range []*list.List{&n.idle, &n.fresh} {
		if e := l.Front(); e != nil {
			return e.Value.(*tableConn)
		}
	}
	return n.unverified.Front().Value.(*tableConn)
}

func (n *network) hasCandidate() bool { return n.idle.Len()+n.fresh.Len()+n.unverified.Len() > 0 }

// evictableNetworks is a heap of the networks that have a candidate: first the one with
// the most connections, trusted proxies after all others.
type evictableNetworks []*network

// update restores the order of the heap after a change of n.
func (r *evictableNetworks) update(n *network) {
	switch {
	case n.at == notInHeap && n.hasCandidate():
		heap.Push(r, n)
	case n.at != notInHeap && !n.hasCandidate():
		heap.Remove(r, n.at)
	case n.at != notInHeap:
		heap.Fix(r, n.at)
	}
}

func (r evictableNetworks) Len() int { return len(r) }

func (r evictableNetworks) Less(i, j int) bool {
	if r[i].trusted != r[j].trusted {
		return r[j].trusted
	}
	return r[i].count > r[j].count
}

func (r evictableNetworks) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].at, r[j].at = i, j
}

// Push implements heap.Interface.
func (r *evictableNetworks) Push(n any) {
	n.(*network).at = len(*r)
	*r = append(*r, n.(*network))
}

// Pop implements heap.Interface.
func (r *evictableNetworks) Pop() any {
	last := len(*r) - 1
	n := (*r)[last]
	n.at = notInHeap
	(*r)[last] = nil
	*r = (*r)[:last]
	return n
}
