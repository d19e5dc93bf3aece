package proxy

import (
	"io"
	"sync/atomic"
)

// Budget bounds the bytes of bodies that are in memory at once, requests and
// answers alike; what is made of them while they are opened and sealed comes on
// top. It lends the memory too. It is safe for concurrent use.
type Budget struct {
	all  int64
	left atomic.Int64
	rooms
}

// NewBudget allows that many bytes.
func NewBudget(bytes int64) *Budget {
	b := &Budget{all: bytes}
	b.left.Store(bytes)
	return b
}

// Held is how many bytes are in memory now.
func (b *Budget) Held() int64 { return b.all - b.left.Load() }

// begin opens an account for one request. Its end must be called.
func (b *Budget) begin() *account { return &account{budget: b} }

// account is what one request has of a Budget: bytes, and the memory that they lie
// in. It is for one goroutine.
type account struct {
	budget *Budget
	bytes  int64
	lent   []loan
	shared bool // somebody else may still look at the memory
}

// take is refused when so many bytes more are not left.
func (a *account) take(bytes int64) error {
	if a.budget.left.Add(-bytes) < 0 {
		a.budget.left.Add(bytes)
		return refuse(overloaded, "too many bytes of bodies are in memory")
	}
	a.bytes += bytes
	return nil
}

// end gives everything back.
func (a *account) end() {
	a.budget.left.Add(a.bytes)
	if !a.shared {
		for _, l := range a.lent {
			a.budget.giveBack(l)
		}
	}
	a.lent = nil
}

// room lends n bytes until the account ends.
func (a *account) room(n int) []byte {
	l := a.budget.lend(n)
	a.lent = append(a.lent, l)
	return l.room[:n:n]
}

// readAll reads to the end. Bytes are taken as they come, so that who only declares
// many, or sends them slowly, takes none from others; and on a stranger's word about
// the length it takes no more than 64 KiB of memory, and later eight times of what
// has come. Behind the body there is some room to see its end, to pad it, and for what
// sealing it adds.
func (a *account) readAll(from io.Reader, declared int64) ([]byte, error) {
	const first, times, spare = 64 << 10, 8, 512
	body := a.room(int(min(max(declared, 0), first)) + spare)[:0]
	for {
		if len(body) == cap(body) {
			more := min(max(declared+spare, 2*int64(len(body))), times*int64(len(body)))
			body = append(a.room(int(more))[:0], body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if refused := a.take(int64(n)); refused != nil {
			return nil, refused
		}
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
