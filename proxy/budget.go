package proxy

import (
	"io"
	"sync/atomic"
)

// Budget bounds the bytes of bodies that are in memory at once, requests and
// answers alike; what is made of them while they are opened and sealed comes on
// top. It is safe for concurrent use.
type Budget struct {
	all  int64
	left atomic.Int64
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

// account is what one request has of a Budget.
type account struct {
	budget *Budget
	bytes  int64
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
func (a *account) end() { a.budget.left.Add(a.bytes) }

// metered is a body whose bytes are taken from an account as they come, so that
// who only declares many, or sends them slowly, takes none from others.
type metered struct {
	io.Reader
	account *account
}

func (m metered) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	if refused := m.account.take(int64(n)); refused != nil {
		return 0, refused
	}
	return n, err
}
