package proxytest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"kmproxy/proxy"
)

// Buffer is a log that a test can read. It is safe for concurrent use.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String is everything that was logged so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *Buffer) add(line string) { _, _ = io.WriteString(b, line+"\n") }

// Outcomes remembers how requests ended. It is safe for concurrent use.
type Outcomes struct {
	mu    sync.Mutex
	begun int
	ended []proxy.Outcome
}

func (o *Outcomes) observe(out proxy.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = append(o.ended, out)
}

// count counts the requests that get to a handler.
func (o *Outcomes) count(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.begun++
		o.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

// settle fails unless every request had one outcome. No request may be under way.
func (o *Outcomes) settle(t testing.TB) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.begun != len(o.ended) {
		t.Errorf("%d requests had %d outcomes", o.begun, len(o.ended))
	}
}

// Begun is how many requests have got to the handler.
func (o *Outcomes) Begun() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.begun
}

// Total is how many outcomes were observed.
func (o *Outcomes) Total() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.ended)
}

// Since returns the outcomes behind the first n.
func (o *Outcomes) Since(n int) []proxy.Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.ended[n:])
}

// Code is how many requests ended with a code; the empty code is the upstream's answer.
func (o *Outcomes) Code(code string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, out := range o.ended {
		if out.Code == code {
			n++
		}
	}
	return n
}
