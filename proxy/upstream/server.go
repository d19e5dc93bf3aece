package upstream

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// server is one of those that requests go to.
type server struct {
	url     *url.URL
	pending atomic.Int64

	mu      sync.Mutex
	row     int       // failures in a row
	ejected time.Time // until when
	ill     bool      // by the active check
}

// unixScheme is that of servers behind a unix socket.
const unixScheme = "unix"

// BasePath is what goes before the path of a request to a server, escaped: its URL's
// path, unless that is a socket's.
func BasePath(server *url.URL) string {
	if server.Scheme == unixScheme {
		return ""
	}
	return strings.TrimSuffix(server.EscapedPath(), "/")
}

// place is the scheme and host of a request's URL to the server.
func (s *server) place() (scheme, host string) {
	if s.url.Scheme == unixScheme {
		return unixScheme, s.url.Path
	}
	return s.url.Scheme, s.url.Host
}

// name is the server in log lines.
func (s *server) name() string {
	if s.url.Scheme == unixScheme {
		return unixScheme + ":" + s.url.Path
	}
	return s.url.Redacted()
}

// well ends a row of failures.
func (s *server) well() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.row, s.ejected = 0, time.Time{}
}

// failed ejects a server that failed too often in a row. One that comes back goes
// again with its next failure.
func (s *server) failed(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.row++; s.row >= failuresInARow {
		s.row, s.ejected = failuresInARow-1, now.Add(ejection)
	}
}

func (s *server) usable(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ill && !now.Before(s.ejected)
}

func (s *server) diagnose(ill bool) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = s.ill != ill
	s.ill = ill
	return changed
}

// pick is the server with the fewest requests pending of those not tried yet. One
// that should be passed over is taken if all are such: they may be better than
// they seem.
func (p *Pool) pick(tried map[*server]bool) *server {
	now, first := p.c.Now(), int(p.turn.Add(1)%uint64(len(p.servers)))
	var best *server
	bestUsable := false
	for i := range p.servers {
		s := p.servers[(first+i)%len(p.servers)]
		if tried[s] {
			continue
		}
		usable := s.usable(now)
		better := best == nil || usable && !bestUsable ||
			usable == bestUsable && s.pending.Load() < best.pending.Load()
		if better {
			best, bestUsable = s, usable
		}
	}
	return best
}

// Trouble names the servers that are passed over; empty if none is.
func (p *Pool) Trouble() (urls []string) {
	for _, s := range p.servers {
		if !s.usable(p.c.Now()) {
			urls = append(urls, s.name())
		}
	}
	return urls
}
