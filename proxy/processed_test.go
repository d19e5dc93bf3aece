package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
	"kmproxy/proxy/queue"
	"kmproxy/proxy/replay"
)

// remembering is a proxy with a replay memory, and a second route.
func remembering(t *testing.T, set ...proxytest.Setup) *proxytest.Proxy {
	t.Helper()
	return proxytest.Start(t, append([]proxytest.Setup{func(c *proxy.Config) {
		c.Replay, c.ReplayWindow = replay.New(replay.Limits{Entries: 1000, PerProject: 1000}), 10*time.Minute
		other := c.Routes[0]
		other.Path = "/other"
		c.Routes = append(c.Routes, other)
	}}, set...)...)
}

// The headers as the protocol spells them.
var (
	tokenHeader       = kona.Written(kona.HeaderToken)
	keyHeader         = kona.Written(kona.HeaderKeyID)
	correlationHeader = kona.Written(kona.HeaderCorrelationID)
)

// parcel is a request that may be sent again, as it was or changed.
type parcel struct {
	path   string
	header http.Header
	body   []byte
}

func newParcel(t *testing.T, p *proxytest.Proxy, encrypted bool) parcel {
	t.Helper()
	body := []byte(plaintext)
	if encrypted {
		body = must(p.Caller.Encrypt(body))
	}
	x := parcel{proxytest.ARSPath, http.Header{}, body}
	p.Caller.Sign(x.header, body)
	return x
}

// redated returns the same body with another date and correlation id.
func (x parcel) redated(p *proxytest.Proxy) parcel {
	x.header = http.Header{}
	p.Caller.Sign(x.header, x.body)
	return x
}

func (x parcel) with(change func(x *parcel)) parcel {
	x.header = x.header.Clone()
	change(&x)
	return x
}

// send checks the status and, unless it is 200, the code of the error table.
func (x parcel) send(t *testing.T, p *proxytest.Proxy, status int, code string) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+x.path, bytes.NewReader(x.body)))
	r.Header = x.header.Clone()
	answer := must(p.HTTP.Do(r))
	defer func() { _ = answer.Body.Close() }() // read below
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status || !strings.Contains(body.String(), code) {
		t.Errorf("got %d %s, want %d %s", answer.StatusCode, body.String(), status, code)
	}
}

const processed = "900_005"

// TestProcessedOnce: what was handed to the upstream is not handed on again,
// however it is presented (threats: replay; the same body on another path).
func TestProcessedOnce(t *testing.T) {
	p := remembering(t)
	first := newParcel(t, p, true)
	first.send(t, p, http.StatusOK, "")
	for name, again := range map[string]parcel{
		"as it was":              first,
		"with another date":      first.redated(p),
		"on another path":        first.with(func(x *parcel) { x.path = "/other" }),
		"another correlation id": first.with(func(x *parcel) { x.header[correlationHeader] = []string{"260101000000-0000000"} }),
		"the MAC without its padding": first.with(func(x *parcel) {
			x.header[tokenHeader][0] = strings.TrimSuffix(x.header[tokenHeader][0], "=")
		}),
		"under no key id": first.with(func(x *parcel) { delete(x.header, keyHeader) }),
	} {
		t.Run(name, func(t *testing.T) { again.send(t, p, http.StatusConflict, processed) })
	}
	newParcel(t, p, true).send(t, p, http.StatusOK, "") // the same plaintext, encrypted again
	if n := p.Upstream.Calls(); n != 2 {
		t.Errorf("the upstream was called %d times", n)
	}
}

// TestPlainBodiesRepeat: honestly, under another date or correlation id.
func TestPlainBodiesRepeat(t *testing.T) {
	p := remembering(t)
	first := newParcel(t, p, false)
	first.send(t, p, http.StatusOK, "")
	first.send(t, p, http.StatusConflict, processed)
	first.with(func(x *parcel) { x.path = "/other" }).send(t, p, http.StatusConflict, processed)
	first.with(func(x *parcel) { x.header[correlationHeader] = []string{"260101000000-0000000"} }).send(t, p, http.StatusOK, "")
	first.redated(p).send(t, p, http.StatusOK, "")
}

// TestRefusedIsNotProcessed: a request that is refused before the upstream gets the
// same answer again, and not that it was processed.
func TestRefusedIsNotProcessed(t *testing.T) {
	p := remembering(t, func(c *proxy.Config) {
		c.Routes = append(c.Routes, proxy.Route{Method: http.MethodPost, Path: "/plain", Request: proxy.BodyPlain, Response: proxy.BodyPlain})
	})
	other := *p.Caller
	suspended := p.AddKey(t, proxytest.ASPID, &other, keys.Suspended)
	for name, tt := range map[string]struct {
		change func(x *parcel)
		status int
		code   string
	}{
		"it does not decrypt": {func(x *parcel) { x.body = bytes.Replace(x.body, []byte(`"}`), []byte(`A"}`), 1) }, 400, "900_004"},
		"no such key": {func(x *parcel) {
			x.header[keyHeader] = []string{string(suspended)}
		}, 400, "900_003"},
		"no key id":        {func(x *parcel) { delete(x.header, keyHeader) }, 400, "000_003"},
		"not on this path": {func(x *parcel) { x.path = "/plain" }, 400, "000_002"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newParcel(t, p, true)
			tt.change(&x)
			id := x.header[keyHeader]
			x = x.redated(p) // sign what was changed
			if delete(x.header, keyHeader); id != nil {
				x.header[keyHeader] = id
			}
			for range 3 {
				x.send(t, p, tt.status, tt.code)
			}
		})
	}
	if n := p.Upstream.Calls(); n != 0 {
		t.Errorf("the upstream was called %d times", n)
	}
}

// TestOverloadedMayComeAgain: with the same bytes, which is what 503 asks for.
func TestOverloadedMayComeAgain(t *testing.T) {
	q := queue.New(queue.Config{Places: 1, Depth: 1, Wait: time.Millisecond})
	p := remembering(t, func(c *proxy.Config) { c.Queue = q })
	leave := must(q.Enter(t.Context(), "another"))
	x := newParcel(t, p, true)
	x.send(t, p, http.StatusServiceUnavailable, "900_012")
	x.send(t, p, http.StatusServiceUnavailable, "900_012")
	leave()
	x.send(t, p, http.StatusOK, "")
	x.send(t, p, http.StatusConflict, processed)
}

// TestUnreachedMayComeAgain: there is no server at the upstream's address; then there
// is one.
func TestUnreachedMayComeAgain(t *testing.T) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	address := l.Addr().String()
	_ = l.Close()
	p := remembering(t, func(c *proxy.Config) { c.Upstreams = []*url.URL{must(url.Parse("http://" + address))} })
	x := newParcel(t, p, true)
	x.send(t, p, http.StatusBadGateway, "900_010")
	x.send(t, p, http.StatusBadGateway, "900_010")
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("the address was taken meanwhile: %v", err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })}}
	server.Start()
	defer server.Close()
	x.send(t, p, http.StatusOK, "")
	x.send(t, p, http.StatusConflict, processed)
}

// TestLostMayNotComeAgain: the upstream was reached and did not answer, or not
// completely. What it did is unknown.
func TestLostMayNotComeAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		serve  http.HandlerFunc
		status int
	}{
		"it is silent": {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-r.Context().Done() }, http.StatusGatewayTimeout},
		"it hangs up":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, http.StatusBadGateway},
		"it breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("half"))
		}, http.StatusBadGateway},
		"it fails": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tt.serve)
			defer server.Close()
			p := remembering(t, func(c *proxy.Config) {
				c.Upstreams, c.UpstreamTime = []*url.URL{must(url.Parse(server.URL))}, 200*time.Millisecond
			})
			x := newParcel(t, p, true)
			x.send(t, p, tt.status, "")
			x.send(t, p, http.StatusConflict, processed)
		})
	}
}

// TestCopiesAtOnce: of a hundred copies that come at the same time one is handed on.
func TestCopiesAtOnce(t *testing.T) {
	p := remembering(t)
	x := newParcel(t, p, true)
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+x.path, bytes.NewReader(x.body))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header = x.header.Clone()
			answer, err := p.HTTP.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = answer.Body.Close()
			mu.Lock()
			statuses[answer.StatusCode]++
			mu.Unlock()
		})
	}
	all.Wait()
	if got := fmt.Sprint(statuses); got != "map[200:1 409:99]" || p.Upstream.Calls() != 1 {
		t.Errorf("answered %s, the upstream was called %d times", got, p.Upstream.Calls())
	}
}

// TestFullReplayMemory: what cannot be remembered is not processed.
func TestFullReplayMemory(t *testing.T) {
	p := remembering(t, func(c *proxy.Config) {
		c.Replay = replay.New(replay.Limits{Entries: 2, PerProject: 2})
	})
	for range 2 {
		newParcel(t, p, true).send(t, p, http.StatusOK, "")
	}
	newParcel(t, p, true).send(t, p, http.StatusServiceUnavailable, "900_012")
	newParcel(t, p, false).send(t, p, http.StatusServiceUnavailable, "900_012")
}

// TestWithoutReplayMemory: it can be switched off.
func TestWithoutReplayMemory(t *testing.T) {
	p := proxytest.Start(t)
	x := newParcel(t, p, true)
	x.send(t, p, http.StatusOK, "")
	x.send(t, p, http.StatusOK, "")
}
