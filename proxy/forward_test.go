package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"kmproxy/proxy"
)

// TestPathsStayVerbatim: signs that an encoder would escape reach the upstream as
// the route has them.
func TestPathsStayVerbatim(t *testing.T) {
	const path = "/a!b$c&d'(e)*+,;f=g:h@i/-._~"
	u := startRaw(t, keeps)
	w := newWorld(t, u.use, func(c *proxy.Config) {
		c.Routes = append(c.Routes, proxy.Route{Method: http.MethodPost, Path: path, Request: proxy.BodyEither, Response: proxy.BodyEither})
	})
	q := plainRequest(w)
	q.target = path
	if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusOK {
		t.Fatalf("%+v", got)
	}
	if _, _, raw := u.seen(); !strings.HasPrefix(raw, "POST "+path+" HTTP/1.1\r\n") {
		t.Errorf("the upstream got %q", raw)
	}
}

// TestKeyIDOfTheRecord: the upstream gets a key's id as it was registered, not
// as a caller spells it.
func TestKeyIDOfTheRecord(t *testing.T) {
	w := newWorld(t)
	q := sealedRequest(w)
	q.set("X-KM-Crypto-Key-Id", strings.ToUpper(q.get("X-KM-Crypto-Key-Id")))
	got := w.overHTTP1(t, q.bytes())
	if id := w.Upstream.Last(t).Header.Get("X-KM-Crypto-Key-Id"); id != string(w.Caller.KeyID) || got.header.Get("X-KM-Crypto-Key-Id") != id {
		t.Errorf("told %q and answered %q, want %q", id, got.header, w.Caller.KeyID)
	}
}
