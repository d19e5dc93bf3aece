package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// ClientConfig is what a Client works with. Every field must be set unless its
// comment says otherwise.
type ClientConfig struct {
	Dial           Dialer
	TLS            *tls.Config   // for https; may be nil
	ServerName     string        // of certificates, and in SNI; empty: the host of the request's URL
	HandshakeTime  time.Duration // of TLS
	MaxIdle        int           // connections at rest, of each server
	IdleTime       time.Duration // that one may be idle
	MaxAge         time.Duration // of a connection that is used again, since it was dialled: a name that moved is followed
	MaxHeaderBytes int64         // of an answer, its interim ones included
	Now            func() time.Time
}

// Client speaks HTTP/1.1 over kept connections, one request at a time on each. It
// does in the goroutine that asks what net/http's Transport does in three, and
// none of what a proxy does not want: it follows nothing, decompresses nothing,
// repeats nothing, and takes nothing from the environment.
//
// It is an http.RoundTripper, safe for concurrent use. Answers end with their
// Content-Length, their chunks or, where they have neither, their connection; one
// that breaks off is an error of its body.
type Client struct {
	c      ClientConfig
	mu     sync.Mutex
	rest   map[string][]*link // by scheme and host, the longest at rest first
	closed bool               // none rests any more
}

// NewClient makes a Client without connections.
func NewClient(c ClientConfig) *Client { return &Client{c: c, rest: map[string][]*link{}} }

// RoundTrip implements http.RoundTripper. Of the body it reads what Content-Length
// says. Errors are those of the network, of TLS, and a Fault of the answer.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	x, told := r.Body.(*attempt) // otherwise the caller does not need to know whether it was sent
	if told {
		x.began = true
	}
	l, err := c.link(r)
	if err != nil {
		return nil, err
	}
	if told {
		x.on(l)
	}
	l.used = true
	answer, err := l.exchange(r, c.c.MaxHeaderBytes)
	if err != nil {
		l.close()
		return nil, err
	}
	answer.Body = &answerBody{Reader: answer.Body, link: l, done: func(again bool) { c.done(r.URL, l, again) },
		keep: !answer.Close, ended: answer.ContentLength == 0 || answer.Body == http.NoBody}
	return answer, nil
}

// link is a connection to the request's server: one at rest that is still good,
// the newest first, or a new one.
func (c *Client) link(r *http.Request) (*link, error) {
	for {
		l := c.take(key(r.URL))
		if l == nil {
			return c.dial(r.Context(), r.URL)
		}
		if now := c.c.Now(); l.quiet() && now.Sub(l.since) < c.c.IdleTime && now.Sub(l.born) < c.c.MaxAge {
			return l, nil
		}
		l.close()
	}
}

func (c *Client) take(key string) *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.rest[key]
	if len(list) == 0 {
		return nil
	}
	l := list[len(list)-1]
	c.rest[key] = list[:len(list)-1]
	return l
}

func (c *Client) dial(ctx context.Context, u *url.URL) (*link, error) {
	network, address := target(u)
	conn, err := c.c.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "https" {
		return newLink(conn, c.c.Now()), nil
	}
	config := c.c.TLS.Clone()
	config.ServerName = cmp.Or(c.c.ServerName, u.Hostname())
	secure := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, c.c.HandshakeTime)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("TLS to the upstream: %w", err), conn.Close())
	}
	return newLink(secure, c.c.Now()), nil
}

// done takes a connection back, or closes it.
func (c *Client) done(u *url.URL, l *link, again bool) {
	if again {
		l.since = c.c.Now()
		again = l.conn.SetDeadline(time.Time{}) == nil && c.put(key(u), l) // the deadline was the request's
	}
	if !again {
		l.close()
	}
}

// put keeps an idle connection. Those that have been idle too long are closed here:
// because the newest is used first, they might never be looked at otherwise.
func (c *Client) put(key string, l *link) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, old := c.rest[key], 0
	for old < len(list) && l.since.Sub(list[old].since) >= c.c.IdleTime {
		list[old].close()
		old++
	}
	c.rest[key] = slices.Delete(list, 0, old)
	if c.closed || len(c.rest[key]) >= c.c.MaxIdle || l.since.Sub(l.born) >= c.c.MaxAge {
		return false
	}
	c.rest[key] = append(c.rest[key], l)
	return true
}

// Close closes what rests; what is in use is closed when its request is done, and so
// is what comes later.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, list := range c.rest {
		for _, l := range list {
			l.close()
		}
	}
	clear(c.rest)
}

func key(u *url.URL) string { return u.Scheme + "://" + u.Host }

// target is what a request's URL is dialled as. With the scheme unix, its host is the
// path of a socket.
func target(u *url.URL) (network, address string) {
	switch {
	case u.Scheme == unixScheme:
		return "unix", u.Host
	case u.Port() != "":
		return "tcp", u.Host
	}
	return "tcp", net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}
