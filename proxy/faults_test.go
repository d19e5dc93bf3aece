package proxy_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

var (
	upstreamFailed   = want{502, "900_010", "Upstream failed."}
	upstreamTimedOut = want{504, "900_011", "Upstream timed out."}
)

const maxAnswer = 16 << 10

// answered is an upstream's answer of a status line, headers and a body as they are.
func answered(head, body string) func(int, net.Conn) bool {
	return says("HTTP/1.1 " + head + "\r\n\r\n" + body)
}

// faults are upstreams that do not answer as they should. Those that hold the
// connection end by the proxy's own timeout.
var faults = map[string]struct {
	answer func(int, net.Conn) bool
	want   want
}{
	"good":                        {says(goodAnswer), passes},
	"good, interim answers first": {says("HTTP/1.1 103 Early Hints\r\nX-KM-A: b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + goodAnswer), passes},
	"good, until it closes":       {answered("200 OK", "{}"), passes},
	"good, HTTP/1.0":              {says("HTTP/1.0 200 OK\r\n\r\n{}"), passes},
	"good, in chunks":             {answered("200 OK\r\nTransfer-Encoding: chunked", "1\r\n{\r\n1\r\n}\r\n0\r\nX-KM-Trailer: x\r\n\r\n"), passes},
	"good, of the largest size":   {answered(fmt.Sprintf("200 OK\r\nContent-Length: %d", maxAnswer), strings.Repeat("a", maxAnswer)), passes},

	"closed without an answer":   {says(""), upstreamFailed},
	"closed in the status":       {says("HTTP/1.1 20"), upstreamFailed},
	"closed in the header":       {says("HTTP/1.1 200 OK\r\nContent-Le"), upstreamFailed},
	"body cut":                   {answered("200 OK\r\nContent-Length: 100", "{}"), upstreamFailed},
	"body missing":               {answered("200 OK\r\nContent-Length: 100", ""), upstreamFailed},
	"chunk cut":                  {answered("200 OK\r\nTransfer-Encoding: chunked", "10\r\n{}"), upstreamFailed},
	"last chunk missing":         {answered("200 OK\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n"), upstreamFailed},
	"chunks garbled":             {answered("200 OK\r\nTransfer-Encoding: chunked", "zz\r\n{}\r\n"), upstreamFailed},
	"one byte too large":         {answered(fmt.Sprintf("200 OK\r\nContent-Length: %d", maxAnswer+1), strings.Repeat("a", maxAnswer+1)), upstreamFailed},
	"too large in chunks":        {answered("200 OK\r\nTransfer-Encoding: chunked", chunks(strings.Repeat("a", maxAnswer+1), 4096)), upstreamFailed},
	"too large until it closes":  {answered("200 OK", strings.Repeat("a", maxAnswer+1)), upstreamFailed},
	"an error that is too large": {answered("500 Oops", strings.Repeat("a", maxAnswer+1)), upstreamFailed},
	"endless":                    {endless("HTTP/1.1 200 OK\r\n\r\n", "aaaaaaaaaaaaaaaa"), upstreamFailed},
	"header without an end":      {endless("HTTP/1.1 200 OK\r\n", "X-Filler: aaaaaaaaaaaaaaaa\r\n"), upstreamFailed},
	"not HTTP":                   {says("SSH-2.0-OpenSSH_9.9\r\n"), upstreamFailed},
	"a plaintext, quoted":        {says(plaintext), upstreamFailed},
	"header without a colon":     {says("HTTP/1.1 200 OK\r\nbroken\r\n\r\n{}"), upstreamFailed},
	"status of words":            {says("HTTP/1.1 OK\r\n\r\n"), upstreamFailed},
	"status 000":                 {answered("000 None\r\nContent-Length: 2", "{}"), upstreamFailed},
	"status 099":                 {answered("099 None\r\nContent-Length: 2", "{}"), upstreamFailed},
	"status 600":                 {answered("600 None\r\nContent-Length: 2", "{}"), upstreamFailed},
	"status 999":                 {answered("999 None\r\nContent-Length: 2", "{}"), upstreamFailed},
	"status 2000":                {answered("2000 None\r\nContent-Length: 2", "{}"), upstreamFailed},
	"negative status":            {answered("-20 None\r\nContent-Length: 2", "{}"), upstreamFailed},
	"101":                        {answered("101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket", ""), upstreamFailed},
	"101 without a protocol":     {answered("101 Switching Protocols", "{}"), upstreamFailed},
	"101 that stays open":        {holds("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), upstreamFailed},
	"only interim answers":       {says(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3)), upstreamFailed},
	"interim without an end":     {endless("", "HTTP/1.1 103 Early Hints\r\n\r\n"), upstreamFailed},
	"two lengths":                {answered("200 OK\r\nContent-Length: 2\r\nContent-Length: 3", "{}"), upstreamFailed},
	"negative length":            {answered("200 OK\r\nContent-Length: -2", "{}"), upstreamFailed},
	"unknown transfer coding":    {answered("200 OK\r\nTransfer-Encoding: gzip", "{}"), upstreamFailed},
	"gzip":                       {answered("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2", "\x1f\x8b"), upstreamFailed},
	"gzip, the second value":     {answered("200 OK\r\nContent-Encoding: \r\nContent-Encoding: gzip\r\nContent-Length: 2", "\x1f\x8b"), upstreamFailed},

	"silent":               {holds(""), upstreamTimedOut},
	"silent in the status": {holds("HTTP/1.1 20"), upstreamTimedOut},
	"silent in the header": {holds("HTTP/1.1 200 OK\r\n"), upstreamTimedOut},
	"silent in a line":     {holds("HTTP/1.1 200 OK\r\nContent-Le"), upstreamTimedOut},
	"silent in the body":   {holds("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), upstreamTimedOut},
	"very slow":            {slowly("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat("a", 10000)), upstreamTimedOut},
}

// holds says something and then keeps the connection until the proxy gives up.
func holds(text string) func(int, net.Conn) bool {
	return func(_ int, conn net.Conn) bool {
		_, _ = io.WriteString(conn, text) // the proxy may have heard enough
		_, _ = io.Copy(io.Discard, conn)  // ends when the proxy closes
		return false
	}
}

// endless says something and then something else for ever.
func endless(text, again string) func(int, net.Conn) bool {
	again = strings.Repeat(again, 64)
	return func(_ int, conn net.Conn) bool {
		_, err := io.WriteString(conn, text)
		for err == nil {
			_, err = io.WriteString(conn, again)
		}
		return false
	}
}

// slowly says a byte at a time.
func slowly(text string) func(int, net.Conn) bool {
	return func(_ int, conn net.Conn) bool {
		for i := range len(text) {
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		return false
	}
}

// TestUpstreamFaults: each has one answer, is asked once, and once only even if
// the request says that it may be repeated.
func TestUpstreamFaults(t *testing.T) {
	if len(faults) < 40 {
		t.Fatalf("%d faults", len(faults))
	}
	for name, f := range faults {
		for _, flaws := range [][]flaw{nil, {add("Idempotency-Key", "k"), add("X-Idempotency-Key", "k")}, {body(""), add("Idempotency-Key", "k")}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				u := startRaw(t, f.answer)
				w := before(t, u, f.want)
				w.tryUpstream(t, row{base: sealedRequest, flaws: flaws, want: f.want})
				if conns, requests, last := u.seen(); conns != 1 || requests != 1 || !strings.HasPrefix(last, "POST ") {
					t.Errorf("%d requests over %d connections", requests, conns)
				}
			})
		}
	}
}

// before is a proxy before an upstream. It waits short only where it is to wait.
func before(t *testing.T, u *rawUpstream, expected want) *world {
	t.Helper()
	return &world{Proxy: proxytest.Start(t, u.use, func(c *proxy.Config) {
		c.MaxAnswerBytes = maxAnswer
		if expected == upstreamTimedOut {
			c.UpstreamTime = 200 * time.Millisecond
		}
	})}
}

// tryUpstream is try for a request that an upstream of the test's own answers.
func (w *world) tryUpstream(t *testing.T, r row) {
	t.Helper()
	q := r.make(w)
	got := w.overHTTP1(t, q.bytes())
	if got.status != r.want.status {
		t.Fatalf("status %d, want %d: %s", got.status, r.want.status, got.body)
	}
	w.wantOutcome(t, 0, proxy.Outcome{Status: r.want.status, Code: r.want.code})
	if r.want != passes {
		checkError(t, q, r.want, got)
	}
}

// TestUpstreamRefused: without a server at its address the request is not sent, and
// the answer is that of any failure.
func TestUpstreamRefused(t *testing.T) {
	u := startRaw(t, says(goodAnswer))
	_ = u.listener.Close() // the address is unused now
	w := before(t, u, upstreamFailed)
	w.tryUpstream(t, row{base: sealedRequest, want: upstreamFailed})
	if reason := `"reason":"dial: connect: connection refused"`; !strings.Contains(w.Log.String(), reason) {
		t.Errorf("the log does not say %s:\n%s", reason, w.Log)
	}
}

// TestUpstreamUntrusted: an upstream whose certificate does not verify gets nothing.
func TestUpstreamUntrusted(t *testing.T) {
	called := false
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	upstream.Config.ErrorLog = log.New(io.Discard, "", 0)
	upstream.StartTLS()
	t.Cleanup(upstream.Close)
	w := &world{Proxy: proxytest.Start(t, func(c *proxy.Config) { c.Upstreams = []*url.URL{must(url.Parse(upstream.URL))} })}
	w.tryUpstream(t, row{base: sealedRequest, want: upstreamFailed})
	if called || !strings.Contains(w.Log.String(), "certificate signed by unknown authority") {
		t.Errorf("called: %t; the log says\n%s", called, w.Log)
	}
}

// TestKeptConnectionBreaks: the upstream keeps a connection and then breaks it
// with the second request on it, of which bytes were written. It is not sent again.
func TestKeptConnectionBreaks(t *testing.T) {
	for name, breaks := range map[string]func(net.Conn){
		"closes":            func(net.Conn) {},
		"resets":            func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) },
		"breaks off":        func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{") },
		"breaks off before": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.") },
	} {
		for _, flaws := range [][]flaw{nil, {add("Idempotency-Key", "k")}, {body("")}, {body(""), add("X-Idempotency-Key", "k")},
			{body(""), method(http.MethodGet), target(getPath)}} {
			t.Run(name, func(t *testing.T) {
				u := startRaw(t, func(n int, conn net.Conn) bool {
					if n == 1 {
						breaks(conn)
						return false
					}
					_, _ = io.WriteString(conn, goodAnswer)
					return true
				})
				w := newWorld(t, u.use)
				r := row{base: sealedRequest, flaws: flaws}
				var statuses []int
				for range 3 {
					statuses = append(statuses, w.overHTTP1(t, r.make(w).bytes()).status)
				}
				conns, requests, _ := u.seen()
				if !slices.Equal(statuses, []int{200, 502, 200}) || requests != 3 || conns != 2 {
					t.Errorf("answered %d; %d requests over %d connections", statuses, requests, conns)
				}
			})
		}
	}
}

// TestKeptConnectionCloses: the upstream closes a kept connection of its own
// accord, so that the next request may meet the end of it. Whether that one fails
// or goes over a new connection, no request gets there twice.
func TestKeptConnectionCloses(t *testing.T) {
	u := startRaw(t, func(_ int, conn net.Conn) bool {
		_, _ = io.WriteString(conn, goodAnswer)
		return false
	})
	w := before(t, u, passes)
	r := row{base: sealedRequest, flaws: []flaw{add("Idempotency-Key", "k")}}
	good := 0
	for range 50 {
		switch got := w.overHTTP1(t, r.make(w).bytes()); got.status {
		case http.StatusOK:
			good++
		case http.StatusBadGateway:
		default:
			t.Errorf("status %d: %s", got.status, got.body)
		}
	}
	if _, requests, _ := u.seen(); requests < good || requests > 50 {
		t.Errorf("of 50 requests %d were answered, and %d arrived", good, requests)
	}
}
