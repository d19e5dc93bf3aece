package proxy_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/origin"
	"kmproxy/proxy/proxytest"
)

// stray are headers of a caller, and the lines of them that the upstream gets. Those
// marked http1 are ones that HTTP/2 cannot say, or that its client writes itself.
var stray = []struct {
	name, value string
	arrives     string // the whole line; empty: it stops here
	http1       bool
}{
	// what every route lets through
	{"Accept-Language", "ko, en;q=0.5", "Accept-Language: ko, en;q=0.5", false},
	{"User-Agent", "client/1", "User-Agent: client/1", false},
	{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
	{"TRACESTATE", "a=1,b=2", "Tracestate: a=1,b=2", false},
	// what the route names
	{"Authorization", "Bearer x", "Authorization: Bearer x", false},
	{"x-tenant", "one", "X-Tenant: one", false},

	// credentials and cookies
	{"Cookie", "a=b", "", false}, {"Proxy-Authorization", "Basic x", "", true}, {"X-Api-Key", "k", "", false}, {"X-Auth-Token", "k", "", false},
	// disguises
	{"X_Forwarded_For", "6.6.6.6", "", false}, {"X_Tenant", "two", "", false}, {"x_tenant", "two", "", false}, {"Transfer_Encoding", "chunked", "", false},
	{"Content_Length", "0", "", false}, {"Content_Type", "text/plain", "", false}, {"User_Agent", "x", "", false}, {"Host_", "x", "", false},
	{"X.Tenant", "two", "", false}, {"X-Tenant_", "two", "", false}, {"Authorization~", "x", "", false}, {"Proxy", "http://evil", "", false},
	// the body as it was sealed
	{"Content-MD5", "x", "", false}, {"Digest", "x", "", false}, {"Content-Digest", "x", "", false}, {"Repr-Digest", "x", "", false},
	{"Signature", "x", "", false}, {"Signature-Input", "x", "", false}, {"Content-Encoding", "identity", "", false}, {"Content-Language", "ko", "", false},
	{"Content-Location", "/x", "", false}, {"Content-Range", "bytes 0-1/2", "", false}, {"Content-Disposition", "inline", "", false},
	{"Want-Digest", "x", "", false}, {"X-Content-Sha256", "x", "", false}, {"Last-Modified", "x", "", false},
	// what asks for another answer
	{"Range", "bytes=0-1", "", false}, {"If-Range", "x", "", false}, {"If-Match", "x", "", false}, {"If-None-Match", "x", "", false},
	{"If-Modified-Since", "Wed, 25 Nov 2026 08:00:00 GMT", "", false}, {"Accept-Encoding", "gzip", "", false}, {"Accept-Charset", "utf-8", "", false},
	{"Prefer", "respond-async", "", false}, {"Cache-Control", "no-cache", "", false}, {"Pragma", "no-cache", "", false}, {"Max-Forwards", "0", "", false},
	// the way that it came
	{"Forwarded", "for=6.6.6.6", "", false}, {"X-Forwarded-For", "6.6.6.6", "", false}, {"X-Forwarded-Host", "evil", "", false}, {"X-Forwarded-Proto", "http", "", false},
	{"X-Forwarded-Port", "80", "", false}, {"X-Forwarded-Prefix", "/x", "", false}, {"X-Forwarded-Server", "x", "", false}, {"X-Forwarded-Client-Cert", "x", "", false},
	{"X-Real-IP", "6.6.6.6", "", false}, {"True-Client-IP", "6.6.6.6", "", false}, {"CF-Connecting-IP", "6.6.6.6", "", false}, {"X-Client-IP", "6.6.6.6", "", false},
	{"X-Cluster-Client-IP", "6.6.6.6", "", false}, {"X-Original-Forwarded-For", "6.6.6.6", "", false}, {"Via", "1.1 x", "", false}, {"X-Request-Id", "x", "", false},
	{"SSL-Client-Cert", "x", "", false}, {"Early-Data", "1", "", false}, {"Origin", "https://evil", "", false}, {"Referer", "https://evil", "", false},
	// another method or path
	{"X-Original-URL", "/admin", "", false}, {"X-Rewrite-URL", "/admin", "", false}, {"X-HTTP-Method-Override", "DELETE", "", false},
	{"X-HTTP-Method", "DELETE", "", false}, {"X-Method-Override", "DELETE", "", false}, {"X-Original-Method", "DELETE", "", false},
	// one connection
	{"Connection", "keep-alive, Accept, User-Agent, X-Forwarded-For, Content-Type, X-Tenant", "", true}, {"Keep-Alive", "timeout=5", "", true},
	{"Upgrade", "websocket", "", true}, {"TE", "trailers", "", true}, {"Trailer", "X-KM-Tran-Time", "", true}, {"Proxy-Connection", "keep-alive", "", true},
	{"HTTP2-Settings", "AAMAAABk", "", true}, {"Sec-WebSocket-Key", "x", "", false},
	// the protocol's name space
	{"X-KM-Anything", "x", "", false}, {"x-km-other", "x", "", false}, {"X-Kmproxy-Account", "x", "", false},
	{"Idempotency-Key", "k", "", false}, {"X-Other", "one", "", false},
}

// withRoute is a world whose route names headers, before a bare upstream.
func withRoute(t *testing.T, headers ...string) (*world, *rawUpstream) {
	u := startRaw(t, keeps)
	return newWorld(t, u.use, func(c *proxy.Config) {
		c.BasePath, c.Upstreams[0].Path, c.Routes[0].ForwardHeaders = "/open-api", "/inner/", headers
	}), u
}

// TestStrayHeaders holds whole requests, as the upstream gets them, to a list: no
// other header is forwarded.
func TestStrayHeaders(t *testing.T) {
	if len(stray) < 80 {
		t.Fatalf("%d headers", len(stray))
	}
	w, u := withRoute(t, "authorization", "X-TENANT", "Accept")
	for i, row := range stray {
		q := []func(*world) *request{plainRequest, sealedRequest}[i%2](w)
		q.target = "/open-api" + proxytest.ARSPath + "?a=1;b&c=%zz&a=2"
		q.set("Content-Type", "application/json;charset=utf-8")
		q.fields = append(q.fields, field{row.name, row.value})
		if second, ok := q.http2(w); ok && !row.http1 {
			if row.name != "User-Agent" {
				second.Header["User-Agent"] = nil // or net/http names itself
			}
			if got := w.overHTTP2(t, second); got.status != http.StatusOK {
				t.Fatalf("%s over HTTP/2: %+v", row.name, got)
			}
			u.wantRequest(t, w, q, row.arrives)
		}
		if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusOK {
			t.Fatalf("%s over HTTP/1.1: %+v", row.name, got)
		}
		u.wantRequest(t, w, q, row.arrives)
	}
}

// TestRepeatedHeaders: lists are forwarded completely; a header with one value that is
// sent twice is not.
func TestRepeatedHeaders(t *testing.T) {
	w, u := withRoute(t, "X-Tenant")
	q := plainRequest(w)
	q.target = "/open-api" + proxytest.ARSPath + "?a=1;b&c=%zz&a=2"
	for _, name := range []string{"Accept-Language", "Tracestate", "X-Tenant", "User-Agent", "Traceparent"} {
		q.fields = append(q.fields, field{name, "one"}, field{name, "two"})
	}
	if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusOK {
		t.Fatalf("%+v", got)
	}
	u.wantRequest(t, w, q, "Accept-Language: one", "Accept-Language: two", "Tracestate: one", "Tracestate: two", "X-Tenant: one", "X-Tenant: two")
}

// wantRequest holds the last request to what it must be, and those lines.
func (u *rawUpstream) wantRequest(t *testing.T, w *world, q *request, lines ...string) {
	t.Helper()
	want := []string{
		"Accept: application/json", fmt.Sprintf("Content-Length: %d", len(plaintext)), "Content-Type: application/json",
		"Host: " + u.listener.Addr().String(),
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: " + strings.TrimPrefix(w.URL, "https://"), "X-Forwarded-Proto: https",
		"X-KM-Correlation-Id: " + correlationID, "X-KM-Time-Zone: UTC", "X-KM-Tran-Time: " + q.get("X-KM-Tran-Time"),
		"X-KM-User-AspId: " + string(proxytest.ASPID),
	}
	if q.find("X-KM-Crypto-Key-Id") >= 0 {
		want = append(want, "X-KM-Crypto-Key-Id: "+string(w.Caller.KeyID))
	}
	want = slices.DeleteFunc(append(want, lines...), func(line string) bool { return line == "" })
	slices.Sort(want)
	_, _, raw := u.seen()
	head, content, _ := strings.Cut(raw, "\r\n\r\n")
	sent := strings.Split(head, "\r\n")
	if sent[0] != "POST /inner"+proxytest.ARSPath+"?a=1;b&c=%zz&a=2 HTTP/1.1" {
		t.Errorf("the upstream got %s", sent[0])
	}
	if got := slices.Sorted(slices.Values(sent[1:])); !slices.Equal(got, want) || content != plaintext {
		t.Errorf("the upstream got\n%s\n%q, want\n%s", strings.Join(got, "\n"), content, strings.Join(want, "\n"))
	}
}

// TestForwardedAddress: the upstream and the access line get the nearest address that
// is no trusted proxy's, whatever else was written.
func TestForwardedAddress(t *testing.T) {
	for _, row := range []struct {
		trusted origin.Trusted
		sent    []string
		want    string
	}{
		{nil, []string{"6.6.6.6"}, "127.0.0.1"},
		{origin.Trusted{netip.MustParsePrefix("127.0.0.0/8")}, nil, "127.0.0.1"},
		{origin.Trusted{netip.MustParsePrefix("127.0.0.0/8")}, []string{"6.6.6.6, 192.0.2.7"}, "192.0.2.7"},
		{origin.Trusted{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, []string{"6.6.6.6", "2001:db8::7, 10.1.1.1"}, "2001:db8::7"},
		{origin.Trusted{netip.MustParsePrefix("127.0.0.0/8")}, []string{"6.6.6.6, unknown"}, "127.0.0.1"},
	} {
		u := startRaw(t, keeps)
		w := newWorld(t, u.use, func(c *proxy.Config) { c.Trusted = row.trusted })
		q := plainRequest(w)
		for _, value := range row.sent {
			q.fields = append(q.fields, field{"X-Forwarded-For", value})
		}
		if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusOK {
			t.Fatalf("%+v", got)
		}
		_, _, raw := u.seen()
		if strings.Count(raw, "X-Forwarded-For") != 1 || !strings.Contains(raw, "\r\nX-Forwarded-For: "+row.want+"\r\n") {
			t.Errorf("%q: the upstream got %q", row.sent, raw)
		}
		if !strings.Contains(w.Log.String(), `"remote":"`+row.want) {
			t.Errorf("%q: the log says %s", row.sent, w.Log)
		}
	}
}
