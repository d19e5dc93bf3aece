package load_test

import (
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/bench/load"
)

// TestClosed: every call is made once, and each time is its own.
func TestClosed(t *testing.T) {
	made := make([]atomic.Int32, 100)
	r := load.Closed(4, len(made), func(worker, i int) error {
		if worker < 0 || worker > 3 {
			t.Errorf("worker %d", worker)
		}
		made[i].Add(1)
		if i == 50 {
			time.Sleep(20 * time.Millisecond)
		}
		return nil
	})
	for i := range made {
		if made[i].Load() != 1 {
			t.Errorf("call %d was made %d times", i, made[i].Load())
		}
	}
	if r.Err != nil || r.Calls != 100 || r.PerSecond() <= 0 || r.Percentile(1) < 20*time.Millisecond || r.Percentile(0.5) > r.Percentile(0.99) {
		t.Errorf("%d calls in %v, %v", r.Calls, r.Elapsed, r.Err)
	}
}

// TestOpen: what waits behind a stalled call counts from when it was due.
func TestOpen(t *testing.T) {
	const stall = 100 * time.Millisecond
	r := load.Open(1, 20, 1000, func(_, i int) error {
		if i == 0 {
			time.Sleep(stall)
		}
		return nil
	})
	if r.Err != nil || r.Percentile(0.5) < stall/2 {
		t.Errorf("the median is %v, %v", r.Percentile(0.5), r.Err)
	}
}

func TestFirstErrorEndsIt(t *testing.T) {
	broken := errors.New("broken")
	r := load.Closed(2, 1000, func(_, i int) error {
		if i >= 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(r.Err, broken) || r.Calls > 12 || r.Percentile(0.5) == 0 {
		t.Errorf("%d calls, %v", r.Calls, r.Err)
	}
	if none := load.Closed(1, 0, nil); none.Percentile(0.99) != 0 || none.Calls != 0 {
		t.Errorf("%+v", none)
	}
}

func TestConn(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			w.(http.Flusher).Flush()
		}
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.Copy(w, r.Body)
	}))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c, err := load.Dial(s.Listener.Addr().String(), roots)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }() // it has served
	for _, body := range []string{"one", "", strings.Repeat("two", 500)} {
		raw := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
		status, got, err := c.Do([]byte(raw))
		if err != nil || status != http.StatusTeapot || string(got) != body {
			t.Errorf("status %d, %q, %v", status, got, err)
		}
	}
	if _, _, err := c.Do([]byte("POST /endless HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")); err == nil {
		t.Error("an answer without a length was read")
	}
}
