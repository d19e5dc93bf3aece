package proxy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
)

// deadlines is a ResponseWriter that notes whether its request was woken.
type deadlines struct {
	http.ResponseWriter
	woken bool
}

func (d *deadlines) SetReadDeadline(time.Time) error  { d.woken = true; return nil }
func (d *deadlines) SetWriteDeadline(time.Time) error { return nil }

func newDeadlines() *deadlines { return &deadlines{ResponseWriter: httptest.NewRecorder()} }

func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})
}

// filled is a budget whose share for unverified requests networks have filled, each
// with as many requests as the other.
func filled(t *testing.T, networks int) (b *Budget, requests []*account, writers []*deadlines) {
	t.Helper()
	b = NewBudget(64 << 20)
	for i := 0; ; i++ {
		w := newDeadlines()
		a, err := b.begin(w, address(i%networks), fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		requests, writers = append(requests, a), append(writers, w)
		if b.waiting+2*perRequest > b.most/4 || len(b.networks) == 1 && b.waiting+2*perRequest > b.most/16*3 {
			return b, requests, writers
		}
	}
}

// TestNewNetworkGetsIn: although the share of unverified requests is full, a request
// from another network gets in, and the oldest request of a full network is ended.
func TestNewNetworkGetsIn(t *testing.T) {
	for _, networks := range []int{1, 2, 300} {
		b, requests, writers := filled(t, networks)
		for n := range 50 {
			if _, err := b.begin(newDeadlines(), address(1000+n), fmt.Sprint("new", n)); err != nil {
				t.Fatalf("%d networks: the request of a new one: %v", networks, err)
			}
		}
		if networks > 1 && !writers[0].woken {
			t.Errorf("%d networks: the oldest request was not woken", networks)
		}
		last := len(requests) - 1
		if writers[last].woken {
			t.Errorf("%d networks: the newest request was given up", networks)
		}
	}
}

// TestSlowEndsKeepOnlyTheirNetworkOut: requests of one network that were given up and do not
// end, as on a busy machine, keep that network out and no other.
func TestSlowEndsKeepOnlyTheirNetworkOut(t *testing.T) {
	b, _, _ := filled(t, 1)
	var err error
	for i := 0; err == nil && i < 10_000; i++ {
		_, err = b.begin(newDeadlines(), address(0), fmt.Sprint("more", i))
	}
	if !errors.Is(err, errGivenUp) || b.leaving <= b.most/4 {
		t.Fatalf("the full network: %v, with %d bytes given up", err, b.leaving)
	}
	for n := range 50 {
		if _, err := b.begin(newDeadlines(), address(1000+n), fmt.Sprint("new", n)); err != nil {
			t.Fatalf("the request of another network: %v", err)
		}
	}
	b.wantSum(t)
}

// TestNewRequestOfAFullNetwork: it takes the place of the oldest one there.
func TestNewRequestOfAFullNetwork(t *testing.T) {
	b, requests, writers := filled(t, 1)
	if _, err := b.begin(newDeadlines(), address(0), "new"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.begin(newDeadlines(), address(0), "newer"); err != nil || !writers[0].woken || writers[len(writers)-1].woken {
		t.Errorf("%v; the oldest was woken: %t", err, writers[0].woken)
	}
	if err := requests[0].take(1); !errors.Is(err, error(errGivenUp)) {
		t.Errorf("a request that was given up took more: %v", err)
	}
	if requests[0].verified("1") == nil || requests[0].wasGivenUp() == nil {
		t.Error("a request that was given up was verified")
	}
}

// TestProjectsShare: a project alone may have half of the budget, and leaves to each
// other one as much as is free then.
func TestProjectsShare(t *testing.T) {
	b := NewBudget(64 << 20)
	hold := func(id keys.ASPID) (bytes int64) {
		for i := 0; ; i++ {
			a, err := b.begin(newDeadlines(), address(i), fmt.Sprint(id, i))
			if err == nil {
				err = a.verified(id)
			}
			if err == nil {
				err = a.take(1 << 20)
			}
			if err != nil {
				a.end()
				return b.projects[id].bytes
			}
		}
	}
	first, second, third := hold("1"), hold("2"), hold("3")
	if first < b.most/5*2 || second < b.most/6 || third < b.most/12 {
		t.Errorf("of %d bytes the projects got %d, %d and %d", b.most, first, second, third)
	}
}

// TestOneLargeRequest: the only request of a project may have most of the budget.
func TestOneLargeRequest(t *testing.T) {
	b := NewBudget(64 << 20)
	a, err := b.begin(newDeadlines(), address(1), "1")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.verified("1"), a.take(40<<20)); err != nil {
		t.Error(err)
	}
	if err := a.take(20 << 20); err == nil {
		t.Error("it got more than three quarters")
	}
}

// TestKnownConnection: unverified requests that fill their share do not affect
// those of a connection on which a project was verified.
func TestKnownConnection(t *testing.T) {
	b := NewBudget(64 << 20)
	first, err := b.begin(newDeadlines(), address(0), "known")
	if err != nil {
		t.Fatal(err)
	}
	if err := first.verified("1"); err != nil {
		t.Fatal(err)
	}
	first.end()
	w := newDeadlines()
	if _, err := b.begin(w, address(0), "known"); err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		if _, err := b.begin(newDeadlines(), address(0), fmt.Sprint(i)); err != nil {
			break
		}
	}
	if w.woken {
		t.Error("a request on a known connection was given up for unverified ones")
	}
}

// TestLeastRate: a body that comes too slowly is given up, one at
// the least rate is not.
func TestLeastRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(64 << 20)
		slow, steady := newDeadlines(), newDeadlines()
		one, err := b.begin(slow, address(1), "1")
		other, otherErr := b.begin(steady, address(2), "2")
		if err != nil || otherErr != nil {
			t.Fatal(err, otherErr)
		}
		for i := range 20 {
			time.Sleep(time.Second)
			synctest.Wait()
			one.received.Store(int64(i))
			other.received.Store(int64(i) * leastRate)
		}
		if !slow.woken || steady.woken {
			t.Errorf("the slow one was given up: %t, the steady one: %t", slow.woken, steady.woken)
		}
		one.end()
		other.end()
	})
}

// TestBudgetAddsUp: whatever requests do, what is held is the sum of its parts, stays
// below the bound, and is nothing in the end.
func TestBudgetAddsUp(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 7))
		b := NewBudget(8 << 20)
		var open []*account
		connected := 0
		for range 3000 {
			switch random.IntN(7) {
			case 0, 1:
				if a, err := b.begin(newDeadlines(), address(random.IntN(5)), fmt.Sprint(random.IntN(50))); err == nil {
					open = append(open, a)
				} else {
					a.end()
				}
			case 2:
				if b.Connect() {
					connected++
				}
			case 3:
				if connected > 0 {
					connected--
					b.Disconnect()
				}
			default:
				if len(open) > 0 {
					open = act(random, open)
				}
			}
			b.wantSum(t)
		}
		for _, a := range open {
			a.end()
		}
		for range connected {
			b.Disconnect()
		}
		if b.wantSum(t); b.held != 0 || len(b.networks) != 0 || len(b.projects) != 0 {
			t.Fatalf("seed %d: %d bytes, %d networks and %d projects are left", seed, b.held, len(b.networks), len(b.projects))
		}
	}
}

func act(random *rand.Rand, open []*account) []*account {
	i := random.IntN(len(open))
	a := open[i]
	switch random.IntN(4) {
	case 0:
		_ = a.take(int64(random.IntN(100_000)))
	case 1:
		_ = a.verified(keys.ASPID(fmt.Sprint(random.IntN(3))))
	case 2:
		a.keep(a.allocate(1 << random.IntN(14)))
	default:
		a.end()
		return append(open[:i], open[i+1:]...)
	}
	return open
}

func (b *Budget) wantSum(t *testing.T) {
	t.Helper()
	var networks, projects, leaving int64
	for _, n := range b.networks {
		sum := int64(0)
		for a := n.first; a != nil; a = a.next {
			sum += a.bytes
		}
		leaving += n.leaving
		if sum != n.bytes || n.first == nil && n.leaving == 0 {
			t.Fatalf("a network holds %d bytes, its requests %d", n.bytes, sum)
		}
		networks += sum
	}
	for _, p := range b.projects {
		projects += p.bytes
	}
	if networks != b.waiting || b.held != b.conns+b.waiting+b.leaving+projects || b.leaving != leaving || leaving < 0 {
		t.Fatalf("held %d, connections %d, unverified %d and %d, given up %d, projects %d", b.held, b.conns, b.waiting, networks, b.leaving, projects)
	}
}

// TestKeepGivesBack: what is not kept is free for others while the request continues.
func TestKeepGivesBack(t *testing.T) {
	b := NewBudget(64 << 20)
	a := anAccount(t, b)
	a.allocate(100_000)
	kept := a.allocate(1000)
	a.allocate(10_000)
	if a.keep(kept); b.Held() != perRequest+1024 || len(a.buffers) != 1 {
		t.Errorf("%d bytes in %d buffers are held", b.Held()-perRequest, len(a.buffers))
	}
}
