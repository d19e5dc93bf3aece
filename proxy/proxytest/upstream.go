package proxytest

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Upstream is a backend that records its requests and answers as configured.
type Upstream struct {
	URL     string
	mu      sync.Mutex
	got     []Received
	handler http.HandlerFunc
}

// Received is one request as the upstream saw it.
type Received struct {
	Method, URI string
	Header      http.Header
	Body        []byte
}

// Answer is the default answer of an Upstream.
const Answer = `{"authNumber":"42","response":{"code":"000_000","description":"Success."}}`

func startUpstream(t testing.TB) *Upstream {
	u := &Upstream{}
	u.Answer(http.StatusOK, []byte(Answer))
	s := httptest.NewServer(u)
	t.Cleanup(s.Close)
	u.URL = s.URL
	return u
}

// Answer sets what the upstream says from now on.
func (u *Upstream) Answer(status int, body []byte) {
	u.Handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

// Handle sets how the upstream answers from now on. The body was read already.
func (u *Upstream) Handle(h http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.handler = h
}

// ServeHTTP implements http.Handler.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what is missing shows in Received
	u.mu.Lock()
	u.got = append(u.got, Received{r.Method, r.RequestURI, r.Header.Clone(), body})
	handler := u.handler
	u.mu.Unlock()
	handler(w, r)
}

// Calls counts the requests that reached the upstream.
func (u *Upstream) Calls() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.got)
}

// Last is the newest request that reached the upstream.
func (u *Upstream) Last(t testing.TB) Received {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.got) == 0 {
		t.Fatal("nothing reached the upstream")
	}
	return u.got[len(u.got)-1]
}

// Listen opens a free port on loopback.
func Listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// client is an HTTP client that trusts the proxy's certificate and speaks HTTP/2
// where it can.
func (p *Proxy) client(t testing.TB) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.CA}, ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
