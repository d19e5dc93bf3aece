package upstream_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// FuzzAnswer gives a Client any bytes for an answer. What it takes, net/http takes
// for the same status, headers and body, so that no two readers see two messages; and
// every refusal is a Fault or says that the answer broke off.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200\r\nX-A: \t b\t\r\n\r\nuntil the end",
		"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\no\r\n1\r\nk\r\n0\r\nX-B: c\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nbody", "HTTP/1.1 304 Not Modified\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 O\x00K\r\n\r\n", "HTTP/1.1 200 OK\nX: y\n\n", "HTTP/1.1 200 OK\r\nX : y\r\n z\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, body, err := taken(t, text)
		var fault upstream.Fault
		if err != nil {
			if !errors.As(err, &fault) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		want, wantBody := understood(t, text)
		if got.StatusCode != want.StatusCode || !maps.EqualFunc(besidesFraming(got.Header), besidesFraming(want.Header), slices.Equal) {
			t.Fatalf("got %d %q, net/http %d %q", got.StatusCode, got.Header, want.StatusCode, want.Header)
		}
		if got.StatusCode != http.StatusResetContent && !bytes.Equal(body, wantBody) {
			t.Fatalf("got %q, net/http %q", body, wantBody)
		}
	})
}

// besidesFraming leaves out what net/http takes out of the headers or writes into them.
func besidesFraming(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Transfer-Encoding", "Content-Length", "Trailer", "Connection", "Cache-Control", "Pragma"} {
		h.Del(name)
	}
	return h
}

// taken is what a Client makes of those bytes.
func taken(t *testing.T, text []byte) (*http.Response, []byte, error) {
	c := upstream.NewClient(upstream.ClientConfig{Dial: func(context.Context, string, string) (net.Conn, error) {
		return &canned{Reader: bytes.NewReader(text)}, nil
	}, MaxIdle: 1, IdleTime: time.Minute, MaxAge: time.Minute, MaxHeaderBytes: 4 << 10, Now: time.Now})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close() // a canned connection has no more to say
	return answer, body, err
}

// understood is what net/http makes of them.
func understood(t *testing.T, text []byte) (*http.Response, []byte) {
	from := bufio.NewReader(bytes.NewReader(text))
	for {
		answer, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatalf("net/http refuses it: %v", err)
		}
		if answer.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatalf("net/http refuses its body: %v", err)
		}
		return answer, body
	}
}

// canned is a connection whose other side has said all it has to say.
type canned struct {
	io.Reader
	net.Conn
}

func (c *canned) Read(p []byte) (int, error)  { return c.Reader.Read(p) }
func (c *canned) Write(p []byte) (int, error) { return len(p), nil }
func (c *canned) Close() error                { return nil }
func (c *canned) SetDeadline(time.Time) error { return nil }
