package listen

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"kmproxy/proxy/framing"
	"kmproxy/proxy/origin"
)

// watched is an HTTP/1.x connection whose plaintext is watched for requests with
// two ends. Because it is no *tls.Conn, net/http does not set Request.TLS: withTLS does.
type watched struct {
	*tls.Conn
	watcher framing.Watcher
	state   *tls.ConnectionState
}

func watch(conn *tls.Conn) *watched {
	state := conn.ConnectionState()
	return &watched{Conn: conn, state: &state}
}

// Read shows the watcher what net/http reads.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.watcher.Read(p[:n])
	return n, err
}

// CloseWrite is what net/http calls after the answer to a request whose body it
// did not read, before it waits a little for the client to read that answer.
func (w *watched) CloseWrite() error {
	err := w.Conn.CloseWrite()
	if g := tableConnOf(w); g != nil {
		g.table.answered(g)
	}
	return err
}

type stateKey struct{}

// connContext is an http.Server's ConnContext.
func connContext(ctx context.Context, conn net.Conn) context.Context {
	if g := tableConnOf(conn); g != nil {
		ctx = origin.WithVerified(ctx, func() { g.table.verified(g) })
	}
	w, ok := conn.(*watched)
	if !ok {
		return ctx
	}
	return context.WithValue(framing.With(ctx, &w.watcher), stateKey{}, w.state)
}

// withTLS sets the TLS state of requests over watched connections.
func withTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, ok := r.Context().Value(stateKey{}).(*tls.ConnectionState); ok {
			r.TLS = state
		}
		next.ServeHTTP(w, r)
	})
}
