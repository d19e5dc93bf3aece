package proxy_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

var internalError = want{500, "900_013", "Internal error."}

// TestUnopenedPayload: the body of a request that no step has opened cannot be
// sent. Using it is a panic, and a panic is an answer of 500.
func TestUnopenedPayload(t *testing.T) {
	defer func() {
		if v := recover(); v == nil {
			t.Error("a payload that was never opened gives bytes")
		}
	}()
	proxy.ExposeUnopened()
}

// roundTripper is a transport of a test's own.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func panics(v any) roundTripper { return func(*http.Request) (*http.Response, error) { panic(v) } }

// TestPanics: wherever a request panics, the caller gets the contract's 500, the
// upstream nothing, and the counters one outcome.
func TestPanics(t *testing.T) {
	calls := 0
	for name, transport := range map[string]roundTripper{
		"with a text":                  panics(plaintext),
		"with an error":                panics(errors.New(plaintext)),
		"as net/http aborts":           panics(http.ErrAbortHandler),
		"with nil":                     panics(nil),
		"on an answer without a body":  func(r *http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200, Request: r}, nil },
		"on no answer and no error":    func(*http.Request) (*http.Response, error) { return nil, nil },
		"where an unopened body would": func(*http.Request) (*http.Response, error) { proxy.ExposeUnopened(); calls++; return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{Proxy: proxytest.Start(t, func(c *proxy.Config) { c.Transport = transport })}
			for _, base := range []func(*world) *request{plainRequest, sealedRequest} {
				before := w.Outcomes.Total()
				q := base(w)
				got := w.overHTTP1(t, q.bytes())
				if got.status != http.StatusInternalServerError {
					t.Fatalf("status %d: %s", got.status, got.body)
				}
				checkError(t, q, internalError, got)
				w.wantOutcome(t, before, proxy.Outcome{Status: 500, Code: "900_013"})
			}
			log := w.Log.String()
			if strings.Contains(log, "9999999999999999999") || strings.Count(log, "a request panicked") != 2 || !strings.Contains(log, `"at":["`) {
				t.Errorf("logged:\n%s", log)
			}
		})
	}
	if calls != 0 {
		t.Error("what follows an unopened body was done")
	}
}

// brokenWriter is a client's connection that makes the handler panic.
type brokenWriter struct {
	header          http.Header
	inHeader, wrote int
	panicsIn        string
}

// Header implements http.ResponseWriter.
func (w *brokenWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *brokenWriter) WriteHeader(status int) {
	if w.panicsIn == "WriteHeader" && w.inHeader == 0 {
		w.inHeader = -1
		panic("first status")
	}
	w.inHeader = status
}

// Write implements http.ResponseWriter.
func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.panicsIn == "Write" {
		panic(string(b))
	}
	w.wrote += len(b)
	return len(b), nil
}

// TestPanicsWhileAnswering: before the status is out the answer becomes a 500;
// after it the connection is cut, so that half an answer does not look whole.
func TestPanicsWhileAnswering(t *testing.T) {
	for place, want := range map[string]struct {
		status int
		aborts bool
	}{"WriteHeader": {500, false}, "Write": {200, true}} {
		w := &world{Proxy: proxytest.Start(t)}
		r, err := http.ReadRequest(bufioReader(plainRequest(w).bytes()))
		if err != nil {
			t.Fatal(err)
		}
		to := &brokenWriter{header: http.Header{}, panicsIn: place}
		aborted := serveAborted(w.Handler, to, r)
		if to.inHeader != want.status || aborted != want.aborts || place == "WriteHeader" && to.wrote == 0 {
			t.Errorf("%s: status %d, aborted %t", place, to.inHeader, aborted)
		}
		if got := w.Outcomes.Since(0); len(got) != 1 || got[0].Status != want.status {
			t.Errorf("%s: outcomes %+v", place, got)
		}
		if log := w.Log.String(); strings.Contains(log, "authNumber") || !strings.Contains(log, "a request panicked") {
			t.Errorf("%s: logged\n%s", place, log)
		}
	}
}

// serveAborted reports whether the handler ended as net/http's own abort does.
func serveAborted(h http.Handler, w http.ResponseWriter, r *http.Request) (aborted bool) {
	defer func() {
		if v := recover(); v != nil {
			aborted = v == http.ErrAbortHandler
			if !aborted {
				panic(fmt.Sprintf("another panic: %v", v))
			}
		}
	}()
	h.ServeHTTP(w, r)
	return false
}
