package proxy

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestReadAll: whatever length was declared and however the bytes come, all of them
// are there, and the memory for them follows what has come.
func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, 1<<20 + 1, 20 << 20} {
		content := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		for _, declared := range []int64{-1, 0, 1, int64(size), int64(size) + 1, 1 << 40} {
			for how, from := range map[string]io.Reader{
				"at once": bytes.NewReader(content), "in halves": iotest.HalfReader(bytes.NewReader(content)), "end with data": iotest.DataErrReader(bytes.NewReader(content)),
			} {
				held := anAccount(t, NewBudget(256<<20))
				got, err := held.readAll(from, declared)
				if err != nil || !bytes.Equal(got, content) {
					t.Fatalf("%d bytes, declared %d, %s: got %d, %v", size, declared, how, len(got), err)
				}
				reserved := held.budget.Held() - perRequest
				if int(reserved) != allocatedBy(held) || reserved > int64(max(8<<10, 6*size)) {
					t.Errorf("%d bytes, declared %d, %s: %d bytes are reserved, %d lent", size, declared, how, reserved, allocatedBy(held))
				}
				held.end()
				if held.budget.Held() != 0 {
					t.Errorf("%d bytes are reserved by nothing", held.budget.Held())
				}
			}
		}
	}
}

func anAccount(t *testing.T, b *Budget) *account {
	t.Helper()
	a, err := b.begin(nil, netip.AddrFrom4([4]byte{127, 0, 0, 1}), "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func allocatedBy(a *account) (bytes int) {
	for _, l := range a.buffers {
		bytes += len(l.bytes)
	}
	return bytes
}

func TestReadAllPassesErrors(t *testing.T) {
	broken := errors.New("broken")
	if got, err := anAccount(t, NewBudget(1<<20)).readAll(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)), 5); !errors.Is(err, broken) || got != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := anAccount(t, NewBudget(1<<20)).readAll(strings.NewReader(strings.Repeat("x", 1<<20)), 5); err == nil || got != nil {
		t.Errorf("more than the budget: got %d bytes", len(got))
	}
}

// TestBuffersComeBackZeroed: memory is lent to one at a time, and holds nothing of who
// had it before.
func TestBuffersComeBackZeroed(t *testing.T) {
	budget, random := NewBudget(1<<30), rand.New(rand.NewPCG(1, 2))
	for range 300 {
		one, other := anAccount(t, budget), anAccount(t, budget)
		for range 5 {
			size := random.IntN(1 << random.IntN(18))
			for _, held := range []*account{one, other} {
				room := held.allocate(size)
				if whole := held.buffers[len(held.buffers)-1].bytes; len(room) != size || cap(room) != size || slices.ContainsFunc(whole, func(b byte) bool { return b != 0 }) {
					t.Fatalf("%d of %d bytes, not all zero", len(room), size)
				}
			}
			for i, l := range one.buffers {
				fill(l.bytes[:l.used], 1)
				fill(other.buffers[i].bytes[:other.buffers[i].used], 2)
				if bytes.IndexByte(l.bytes[:l.used], 2) >= 0 {
					t.Fatal("two have the same memory")
				}
			}
		}
		one.end()
		other.end()
	}
}

func fill(room []byte, with byte) {
	for i := range room {
		room[i] = with
	}
}
