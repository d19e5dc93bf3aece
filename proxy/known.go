package proxy

import (
	"time"

	"kmproxy/keys"
)

// connections are those on which a request was verified, by their remote address
// and port, and whose request that was. It is not safe for concurrent use.
type connections map[string]verification

type verification struct {
	project keys.ASPID
	at      time.Time
}

const (
	knownFor  = 2 * time.Minute // after which net/http has closed an idle connection
	mostKnown = 1 << 14         // beyond it all are forgotten: each is known again at its next request
)

func (c connections) add(conn string, id keys.ASPID, now time.Time) {
	if len(c) >= mostKnown {
		clear(c)
	}
	c[conn] = verification{id, now}
}

// project returns whose connection it is; empty: it is not known.
func (c connections) project(conn string, now time.Time) keys.ASPID {
	v, ok := c[conn]
	if !ok {
		return ""
	}
	if now.Sub(v.at) > knownFor {
		delete(c, conn)
		return ""
	}
	return v.project
}
