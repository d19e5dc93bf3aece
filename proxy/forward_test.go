package proxy_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// extra are headers of a caller that have no place behind the proxy, and a few
// that have.
var extra = []field{
	{"User-Agent", "client/1"}, {"Authorization", "Bearer x"}, {"Cookie", "a=b"}, {"X-Other", "one"}, {"X-Other", "two"}, {"Idempotency-Key", "k"},
	{"X-KM-Anything", "x"}, {"x-km-other", "x"}, {"Content-Encoding", "identity"}, {"Accept-Encoding", "gzip"},
	{"Forwarded", "for=1.2.3.4"}, {"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Host", "evil"}, {"X-Forwarded-Proto", "http"},
	{"X-Original-URL", "/admin"}, {"X-Rewrite-URL", "/admin"}, {"X-HTTP-Method-Override", "DELETE"}, {"X-HTTP-Method", "DELETE"},
	{"X-Method-Override", "DELETE"}, {"X-Original-Method", "DELETE"}, {"HTTP2-Settings", "AAMAAABk"},
}

// hopByHop are those that HTTP/2 cannot say.
var hopByHop = []field{
	{"Connection", "keep-alive, X-Hop, Upgrade"}, {"X-Hop", "x"}, {"Upgrade", "websocket"}, {"Keep-Alive", "timeout=5"}, {"TE", "trailers"},
	{"Proxy-Authorization", "Basic x"}, {"Proxy-Connection", "keep-alive"}, {"Trailer", "X-KM-Tran-Time"},
}

// TestUpstreamRequest holds a whole request, as the upstream gets it, to a list:
// what is not on it does not go on.
func TestUpstreamRequest(t *testing.T) {
	u := startRaw(t, keeps)
	w := newWorld(t, u.use, func(c *proxy.Config) {
		c.BasePath = "/open-api"
		c.Upstreams[0].Path = "/inner/"
	})
	for _, base := range []func(*world) *request{plainRequest, sealedRequest} {
		q := base(w)
		q.target = "/open-api" + proxytest.ARSPath + "?a=1;b&c=%zz&a=2"
		q.fields = append(q.fields, extra...)
		second, ok := q.http2(w)
		if !ok {
			t.Fatal("HTTP/2 does not say it")
		}
		if got := w.overHTTP2(t, second); got.status != http.StatusOK {
			t.Fatalf("%+v", got)
		}
		u.wantRequest(t, w, q)
		q.fields = append(q.fields, hopByHop...)
		if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusOK {
			t.Fatalf("%+v", got)
		}
		u.wantRequest(t, w, q)
	}
}

func (u *rawUpstream) wantRequest(t *testing.T, w *world, q *request) {
	t.Helper()
	want := []string{
		"Accept: application/json", "Authorization: Bearer x", fmt.Sprintf("Content-Length: %d", len(plaintext)), "Content-Type: application/json",
		"Cookie: a=b", "Host: " + u.listener.Addr().String(), "Idempotency-Key: k", "User-Agent: client/1",
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: " + strings.TrimPrefix(w.URL, "https://"), "X-Forwarded-Proto: https",
		"X-KM-Correlation-Id: " + correlationID, "X-KM-Time-Zone: UTC", "X-KM-Tran-Time: " + q.get("X-KM-Tran-Time"),
		"X-KM-User-AspId: " + string(proxytest.ASPID), "X-Other: one", "X-Other: two",
	}
	if q.find("X-KM-Crypto-Key-Id") >= 0 {
		want = append(want, "X-KM-Crypto-Key-Id: "+string(w.Caller.KeyID))
	}
	slices.Sort(want)
	_, _, raw := u.seen()
	head, content, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	if lines[0] != "POST /inner"+proxytest.ARSPath+"?a=1;b&c=%zz&a=2 HTTP/1.1" {
		t.Errorf("the upstream got %s", lines[0])
	}
	got := slices.Sorted(slices.Values(lines[1:]))
	if !slices.Equal(got, want) || content != plaintext {
		t.Errorf("the upstream got\n%s\n%q, want\n%s", strings.Join(got, "\n"), content, strings.Join(want, "\n"))
	}
}

// TestPathsStayVerbatim: signs that an encoder would escape reach the upstream as
// the route has them.
func TestPathsStayVerbatim(t *testing.T) {
	const path = "/a!b$c&d'(e)*+,;f=g:h@i/-._~"
	u := startRaw(t, keeps)
	w := newWorld(t, u.use, func(c *proxy.Config) {
		c.Routes = append(c.Routes, proxy.Route{Method: http.MethodPost, Path: path, Request: proxy.RequestEither, Response: proxy.ResponseMatch})
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

// TestKeyIDOfTheRecord: the upstream is told a key's id as it was registered, not
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
