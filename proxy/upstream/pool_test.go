package upstream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// world is a pool and a clock, and how often each address was dialled.
type world struct {
	*upstream.Pool
	mu    sync.Mutex
	now   time.Time
	dials map[string]int
}

func newWorld(t *testing.T, urls ...string) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), dials: map[string]int{}}
	transport := upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted(func(ctx context.Context, network, address string) (net.Conn, error) {
		w.mu.Lock()
		w.dials[address]++
		w.mu.Unlock()
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}), MaxIdle: 100, IdleTime: time.Hour, MaxAge: 100 * time.Hour, MaxHeaderBytes: 64 << 10, Now: w.time})
	t.Cleanup(transport.Close)
	var list []*url.URL
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, u)
	}
	var err error
	w.Pool, err = upstream.New(upstream.Config{URLs: list, Transport: transport, Now: w.time})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) dialled(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials[url[len("http://"):]]
}

// send makes one request and reads the whole answer.
func (w *world) send(ctx context.Context, body string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://elsewhere/path", nil)
	if err != nil {
		return "", err
	}
	r.Body, r.ContentLength = upstream.NewBody([]byte(body)), int64(len(body))
	answer, err := w.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }() // it is read to its end, or the error says so
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// server says its name.
func server(t *testing.T, name string, also ...http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, do := range also {
			do(w, r)
		}
		_, _ = io.WriteString(w, name) // the client went away
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// unused returns an address without a server.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // that is the point
	return "http://" + l.Addr().String()
}

func TestEqualsTakeTurns(t *testing.T) {
	w := newWorld(t, server(t, "a"), server(t, "b"), server(t, "c"))
	got := map[string]int{}
	for range 30 {
		name, err := w.send(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		got[name]++
	}
	if got["a"] != 10 || got["b"] != 10 || got["c"] != 10 {
		t.Errorf("got %v", got)
	}
}

// TestFewestPending: while one server is slow, the other does the work.
func TestFewestPending(t *testing.T) {
	hold := make(chan struct{})
	var held atomic.Int64
	w := newWorld(t, server(t, "slow", func(http.ResponseWriter, *http.Request) { held.Add(1); <-hold }), server(t, "quick"))
	var all sync.WaitGroup
	for range 2 { // equals take turns: one of them meets the slow one
		all.Go(func() {
			if _, err := w.send(t.Context(), "x"); err != nil {
				t.Error(err)
			}
		})
	}
	for held.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 20 {
		if name, err := w.send(t.Context(), "x"); err != nil || name != "quick" {
			t.Errorf("got %q, %v", name, err)
		}
	}
	close(hold)
	all.Wait()
}

// TestNobodyThere: the request goes to the next, and who is not there is passed
// over for a while after a few times.
func TestNobodyThere(t *testing.T) {
	gone := unused(t)
	w := newWorld(t, gone, server(t, "here"))
	for range 20 {
		if name, err := w.send(t.Context(), "x"); err != nil || name != "here" {
			t.Fatalf("got %q, %v", name, err)
		}
	}
	if n := w.dialled(gone); n != 3 || len(w.Trouble()) != 1 {
		t.Errorf("it was dialled %d times, passed over: %q", n, w.Trouble())
	}
	w.pass(5 * time.Second)
	if len(w.Trouble()) != 0 {
		t.Errorf("passed over: %q", w.Trouble())
	}
	for range 20 {
		if _, err := w.send(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.dialled(gone); n != 4 {
		t.Errorf("after its time it was dialled %d times", n-3)
	}
}

func TestNobodyAnywhere(t *testing.T) {
	w := newWorld(t, unused(t), unused(t))
	for range 10 { // also when all are passed over
		if _, err := w.send(t.Context(), "x"); !errors.Is(err, upstream.ErrUnsent) {
			t.Errorf("got %v", err)
		}
	}
}

// TestSentOnce: a server that takes a request and fails is not made good by
// another, whatever it did before it failed.
func TestSentOnce(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"it hangs up":      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"it reads nothing": func(w http.ResponseWriter, _ *http.Request) { hijack(w) },
	} {
		var calls, others atomic.Int64
		failing := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls.Add(1); fail(w, r) }))
		failing.Config.ErrorLog = nil
		failing.Start()
		w := newWorld(t, failing.URL, server(t, "other", func(http.ResponseWriter, *http.Request) { others.Add(1) }))
		failures := 0
		for range 4 {
			if _, err := w.send(t.Context(), "x"); err != nil {
				failures++
				if errors.Is(err, upstream.ErrUnsent) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if failures != 2 || calls.Load() != 2 || others.Load() != 2 {
			t.Errorf("%s: %d failures, %d calls of it and %d of the other", name, failures, calls.Load(), others.Load())
		}
		failing.Close()
	}
}

func hijack(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// TestConnectionsClosedAtRest: a server that hangs up behind every answer, without
// a word, while the next request is on its way. A request either is answered, or
// was sent and failed, or is known to be unsent; and what is known to be unsent
// did not arrive.
func TestConnectionsClosedAtRest(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the test has ended
	var mu sync.Mutex
	arrived := map[string]int{}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }() // that is the point
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				body, _ := io.ReadAll(r.Body) // a part of it is none of the test's
				mu.Lock()
				arrived[string(body)]++
				mu.Unlock()
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}()
		}
	}()
	w := newWorld(t, "http://"+l.Addr().String())
	answered, lost, unsent := 0, 0, 0
	for i := range 1000 {
		name := fmt.Sprintf("request %d", i)
		_, err := w.send(t.Context(), name)
		mu.Lock()
		times := arrived[name]
		mu.Unlock()
		switch {
		case err == nil && times == 1:
			answered++
		case errors.Is(err, upstream.ErrUnsent) && times == 0:
			unsent++
		case err != nil && !errors.Is(err, upstream.ErrUnsent) && times <= 1:
			lost++
		default:
			t.Errorf("%s arrived %d times: %v", name, times, err)
		}
	}
	t.Logf("%d answered, %d lost when sent, %d never sent", answered, lost, unsent)
	if answered < 500 {
		t.Error("too few were answered")
	}
}

func TestCheck(t *testing.T) {
	var ill atomic.Bool
	sick := server(t, "sick", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" && ill.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	w := newWorld(t, sick, server(t, "sound"))
	ctx, stop := context.WithCancel(t.Context())
	var told atomic.Int64
	done := make(chan struct{})
	ill.Store(true)
	go func() {
		defer close(done)
		w.Check(ctx, "/health", 200*time.Millisecond, func(string, bool) { told.Add(1) })
	}()
	until := func(passedOver ...string) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !slices.Equal(w.Trouble(), passedOver); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("passed over are %q, want %q", w.Trouble(), passedOver)
			}
		}
	}
	until(sick)
	for range 10 {
		if name, err := w.send(t.Context(), "x"); err != nil || name != "sound" {
			t.Errorf("got %q, %v", name, err)
		}
	}
	ill.Store(false)
	until()
	stop()
	<-done
	if told.Load() < 2 {
		t.Errorf("%d changes were reported", told.Load())
	}
}

func TestWhoGoesAwaySaysNothing(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, server(t, "slow", func(http.ResponseWriter, *http.Request) { <-release }))
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Millisecond, cancel)
		if _, err := w.send(ctx, "x"); err == nil {
			t.Error("it was answered")
		}
	}
	close(release)
	if trouble := w.Trouble(); len(trouble) != 0 {
		t.Errorf("passed over: %q", trouble)
	}
}

func TestNewWantsItsParts(t *testing.T) {
	here := []*url.URL{{Scheme: "http", Host: "localhost"}}
	for name, c := range map[string]upstream.Config{
		"no URL":       {Transport: http.DefaultTransport, Now: time.Now},
		"no transport": {URLs: here, Now: time.Now},
		"no clock":     {URLs: here, Transport: http.DefaultTransport},
	} {
		if _, err := upstream.New(c); err == nil {
			t.Errorf("%s: it was made", name)
		}
	}
}
