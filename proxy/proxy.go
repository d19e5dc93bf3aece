// Package proxy is the path of one request: admit, open, forward, seal, reply.
//
// Each step is a file, and its result is the only thing the next step takes: a
// request that was not admitted cannot be opened, and what was not opened cannot
// be forwarded.
package proxy

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"kmproxy/keys/ring"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
	"kmproxy/keys"
	"kmproxy/proxy/cek"
	"kmproxy/proxy/framing"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/origin"
	"kmproxy/proxy/queue"
	"kmproxy/proxy/replay"
	"kmproxy/proxy/upstream"
)

// Config is what a Proxy works with. Every field must be set unless its comment
// says otherwise.
type Config struct {
	Routes         []Route
	BasePath       string // removed from the path before it is forwarded; may be empty
	Ring           func() *ring.Ring
	Stale          func() bool       // the Ring is too old to be served; nil: it never is
	Upstreams      []*url.URL        // servers of one service: they differ in scheme, host and port alone
	Transport      http.RoundTripper // to them, see upstream.Config; must not decompress, nor look at a body when it has returned
	UpstreamTime   time.Duration     // for one whole exchange with the upstream
	Zones          kona.Zones
	ClockSkew      time.Duration
	Replay         *replay.Memory // nil: a request may come again
	ReplayWindow   time.Duration  // how long it is remembered
	MaxBodyBytes   int64
	MaxAnswerBytes int64        // of the upstream's body
	Queue          *queue.Queue // for private-key operations: as many at once as there are cores
	Budget         *Budget
	Calls          *Calls         // pending at the upstream; nil: as many as come
	ContentKeys    *cek.Cache     // nil: every message is opened with the private key
	Trusted        origin.Trusted // proxies whose X-Forwarded-For is believed; may be empty
	Now            func() time.Time
	Log            *slog.Logger
	Observe        func(Outcome) // called exactly once a request; may be nil
	Used           Used          // called for every use of a key; may be nil
}

// Used is called when a project's key opened a request or sealed an answer. It must
// not block.
type Used func(id keys.ASPID, key keys.KeyID, d keys.Direction, s alg.Suite)

// Proxy serves requests. It is an http.Handler, safe for concurrent use.
type Proxy struct {
	c       Config
	routes  routes
	decoy   sensitive.Bytes // the secret of unknown callers
	servers *upstream.Pool

	verifyToken tokenVerifier
}

// New checks a Config and builds a Proxy of it.
func New(c Config) (*Proxy, error) {
	table, err := newRoutes(c.BasePath, c.Routes)
	if err != nil {
		return nil, err
	}
	if c.Ring == nil || len(c.Upstreams) == 0 || c.Transport == nil || c.Queue == nil || c.Budget == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("proxy: ring, upstream, transport, queue, budget, clock and log must be set")
	}
	if c.MaxBodyBytes <= 0 || c.MaxAnswerBytes <= 0 || c.UpstreamTime <= 0 {
		return nil, errors.New("proxy: sizes and times must be positive")
	}
	if c.Replay != nil && c.ReplayWindow <= 0 {
		return nil, errors.New("proxy: a replay memory needs a window")
	}
	if c.Observe == nil {
		c.Observe = func(Outcome) {}
	}
	if c.Used == nil {
		c.Used = func(keys.ASPID, keys.KeyID, keys.Direction, alg.Suite) {}
	}
	servers, err := upstream.New(upstream.Config{URLs: c.Upstreams, Transport: c.Transport, Now: c.Now})
	if err != nil {
		return nil, err
	}
	return &Proxy{c: c, routes: table, decoy: newDecoy(), servers: servers, verifyToken: trantoken.Token.Verify}, nil
}

// Upstream returns the pool of the servers.
func (p *Proxy) Upstream() *upstream.Pool { return p.servers }

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := p.begin(r)
	defer p.finish(n)
	defer p.rescue(w, n)
	if !framing.Ends(r) {
		w.Header().Set("Connection", "close") // what follows must not be taken for another request (RFC 9112 §6.1)
	}
	held, err := p.c.Budget.begin(w, p.c.Trusted.Client(r), r.RemoteAddr)
	defer held.end()
	var s sealed
	if err == nil {
		s, err = p.serve(w, r, n, held)
	}
	if err != nil {
		p.replyError(w, refusal(err), n)
		flush(w, r)
		return
	}
	held.shared = true // over HTTP/2, a write that failed may still be looking at the answer
	held.shared = p.reply(w, s, n) != nil
}

// serve is the whole path of a request.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, n *note, held *account) (sealed, error) {
	s, err := p.verify(w, r, n, held)
	if err != nil {
		return sealed{}, err
	}
	claim, err := p.claim(s)
	if err != nil {
		return sealed{}, err
	}
	defer claim.End()
	a, err := p.admit(s, claim, n)
	if err != nil {
		return sealed{}, err
	}
	o, err := p.open(r.Context(), a, n)
	if err != nil {
		return sealed{}, err
	}
	ans, err := p.forward(o)
	if err != nil {
		return sealed{}, err
	}
	return p.seal(ans)
}
