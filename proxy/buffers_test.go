package proxy_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kmproxy/proxy/proxytest"
)

// keeper is a ResponseWriter that keeps the memory that it was given.
type keeper struct {
	*httptest.ResponseRecorder
	got  []byte
	fail error
}

func (k *keeper) Write(b []byte) (int, error) {
	k.got = b
	return len(b), k.fail
}

// TestNoBodyOutlivesItsRequest: the memory of an answer is zeroed when the request
// ends, but not under a writer that failed, which may still be at it.
func TestNoBodyOutlivesItsRequest(t *testing.T) {
	w := newWorld(t)
	for _, fail := range []error{nil, errors.New("the stream is closed")} {
		q := plainRequest(w)
		r := httptest.NewRequest(http.MethodPost, proxytest.ARSPath, strings.NewReader(string(q.body)))
		for _, f := range q.fields {
			r.Header.Add(f.name, f.value)
		}
		k := &keeper{ResponseRecorder: httptest.NewRecorder(), fail: fail}
		w.Handler.ServeHTTP(k, r)
		want := proxytest.Answer
		if fail == nil {
			want = strings.Repeat("\x00", len(want))
		}
		if k.Code != http.StatusOK || string(k.got) != want {
			t.Errorf("status %d, written with %v: later it is %q, want %q", k.Code, fail, k.got, want)
		}
	}
}
