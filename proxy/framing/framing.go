// Package framing watches the plaintext of an HTTP/1.1 connection for what
// net/http does not show a handler: a Content-Length together with a
// Transfer-Encoding, after which the next request may begin in one place or in
// another (RFC 9112 §6.1).
package framing

import (
	"context"
	"net/http"
	"sync/atomic"
)

// Watcher follows the requests of one connection. Its zero value is ready to
// use. Read must be called by one goroutine at a time; Clean may be called at
// any time.
type Watcher struct {
	lost  atomic.Bool
	state state
	head  head
	left  int64 // bytes of a body or a chunk that are still to come
}

// Read follows bytes in the order in which they arrive. A Watcher understands
// only the plain form of requests that clients write. On anything else, however
// harmless, it is no longer clean and looks at nothing more.
func (w *Watcher) Read(p []byte) {
	if w.lost.Load() {
		return
	}
	for len(p) > 0 {
		n, ok := w.take(p)
		if !ok {
			w.lost.Store(true)
			return
		}
		p = p[n:]
	}
}

// clean reports whether every request so far had one unambiguous end.
func (w *Watcher) clean() bool { return !w.lost.Load() }

// take consumes some bytes of p, which is not empty.
func (w *Watcher) take(p []byte) (n int, ok bool) {
	if w.state == inBody || w.state == inChunk {
		return w.skip(p), true
	}
	w.state, ok = w.state.next(w, p[0])
	return 1, ok
}

func (w *Watcher) skip(p []byte) int {
	n := int(min(int64(len(p)), w.left))
	if w.left -= int64(n); w.left == 0 {
		w.state++ // from a body to the next request, from a chunk to its end
	}
	return n
}

type contextKey struct{}

// With returns a context of a connection's requests that carries its Watcher.
func With(ctx context.Context, w *Watcher) context.Context {
	return context.WithValue(ctx, contextKey{}, w)
}

// Ends reports whether the end of r is beyond doubt, so that its connection may
// be used again. A request in chunks over a connection that is not watched is
// not beyond doubt, nor is one of HTTP/1.0.
func Ends(r *http.Request) bool {
	if r.ProtoMajor != 1 || r.ProtoMinor > 0 && len(r.TransferEncoding) == 0 {
		return true
	}
	w, watched := r.Context().Value(contextKey{}).(*Watcher)
	return watched && r.ProtoMinor > 0 && w.clean()
}
