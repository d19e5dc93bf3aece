package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/ring"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/origin"
)

// Outcome is how a request ended, for counters.
type Outcome struct {
	Status    int
	Code      string // of the error table; empty: the upstream's answer went back
	Encrypted bool   // the request's body was
	Took      time.Duration
}

// note is the one access line of a request. Every field holds what kmproxy made
// or checked itself; there is none that a body, a key or a secret could get into.
type note struct {
	start         time.Time
	remote        string // the caller's address, with its port if it connected directly
	client        string // the same without a port; empty: it is not known
	correlationID string // empty unless it was valid
	method, path  string // the route's own, not the request's
	aspID         string // empty unless the token was verified
	keyID         string
	isEncrypted   bool
	bytesIn       int
	bytesOut      int
	status        int
	code          string
	reason        string
}

func (p *Proxy) begin(r *http.Request) *note {
	n := &note{start: p.c.Now()}
	n.remote, n.client = p.from(r)
	n.correlationID, _ = kona.CorrelationID(r.Header)
	return n
}

// from is where a request comes from: the connection's peer or, if that is a trusted
// proxy, the address that it reports.
func (p *Proxy) from(r *http.Request) (remote, client string) {
	a := p.c.Trusted.Client(r)
	switch {
	case !a.IsValid():
		return r.RemoteAddr, ""
	case a == origin.Peer(r):
		return r.RemoteAddr, a.String()
	}
	return a.String(), a.String()
}

func (n *note) route(r *Route)       { n.method, n.path = r.Method, r.Path }
func (n *note) received(bytes int)   { n.bytesIn = bytes }
func (n *note) caller(id keys.ASPID) { n.aspID = string(id) }
func (n *note) encrypted(is bool)    { n.isEncrypted = is }
func (n *note) namedKey(k *ring.Key) { n.setKey(k) }

// answerKey names the key of the answer where the request named none.
func (n *note) answerKey(k *ring.Key) {
	if n.keyID == "" {
		n.setKey(k)
	}
}

func (n *note) setKey(k *ring.Key) {
	if k != nil {
		n.keyID = string(k.ID())
	}
}

func (n *note) answered(status int, code, reason string, bytes int) {
	n.status, n.code, n.reason, n.bytesOut = status, code, reason, bytes
}

// finish writes the access line and counts the request.
func (p *Proxy) finish(n *note) {
	took := p.c.Now().Sub(n.start)
	p.c.Observe(Outcome{Status: n.status, Code: n.code, Encrypted: n.isEncrypted, Took: took})
	level := slog.LevelInfo
	if n.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	p.c.Log.LogAttrs(context.Background(), level, "request",
		slog.String("correlation_id", n.correlationID), slog.String("asp_id", n.aspID), slog.String("key_id", n.keyID),
		slog.String("method", n.method), slog.String("route", n.path), slog.Bool("encrypted", n.isEncrypted),
		slog.Int("status", n.status), slog.String("code", n.code), slog.String("reason", n.reason),
		slog.Int("bytes_in", n.bytesIn), slog.Int("bytes_out", n.bytesOut),
		slog.Duration("took", took), slog.String("remote", n.remote))
}

// rescue answers a request that panicked. If an answer has begun, or the client must
// not get one, the connection is closed, so that the answer does not look complete.
func (p *Proxy) rescue(w http.ResponseWriter, n *note) {
	v := recover()
	if v == nil {
		return
	}
	if n.status == 0 {
		p.logPanic(v)
		p.replyError(w, kona.Refuse(kona.Internal, "panic"), n)
		return
	}
	if v != http.ErrAbortHandler {
		p.logPanic(v)
	}
	panic(http.ErrAbortHandler)
}

// logPanic logs a panic's value only where it is the runtime's own, for another
// could quote a body.
func (p *Proxy) logPanic(v any) {
	what := fmt.Sprintf("%T", v)
	if e, ok := v.(runtime.Error); ok {
		what = e.Error()
	}
	p.c.Log.Error("a request panicked: this is a bug in kmproxy", "panic", what, "at", panicSite())
}

// panicSite names the functions and lines that led here, without their arguments.
func panicSite() []string {
	const most = 12
	pc := make([]uintptr, most)
	frames := runtime.CallersFrames(pc[:runtime.Callers(4, pc)])
	var out []string
	for {
		f, more := frames.Next()
		out = append(out, fmt.Sprintf("%s:%d", f.Function, f.Line))
		if !more {
			return out
		}
	}
}
