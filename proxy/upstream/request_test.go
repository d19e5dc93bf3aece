package upstream_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/upstream"
)

// transcript is a client's connections to one server, and what was written to them.
type transcript struct {
	server *raw
	bytes.Buffer
}

// written is a connection whose writing is recorded.
type written struct {
	net.Conn
	into *bytes.Buffer
}

func (w written) Write(b []byte) (int, error) {
	w.into.Write(b)
	return w.Conn.Write(b)
}

func (w *transcript) client() *upstream.Client {
	return upstream.NewClient(upstream.ClientConfig{Dial: upstream.Counted(func(ctx context.Context, network, _ string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, w.server.Addr().String())
		return written{c, &w.Buffer}, err
	}), HandshakeTime: time.Second, MaxHeaderBytes: 4 << 10, Now: time.Now})
}

// record makes a server that says yes, and what is written to it.
func record(t *testing.T) *transcript {
	t.Helper()
	return &transcript{server: startRaw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))}
}

func (w *transcript) request(t *testing.T, method, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.server.url()+"/p?q=%zz;r", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header["X-Two"] = []string{"1", "2"}
	return r
}

// TestOnTheWire holds what is written, byte for byte but for the order of headers,
// to a list: what frames the message is said once, and by the client alone.
func TestOnTheWire(t *testing.T) {
	for name, tt := range map[string]struct {
		method, body string
		edit         func(*http.Request)
		want         []string
	}{
		"post":  {http.MethodPost, "body", nil, []string{"POST /p?q=%zz;r HTTP/1.1", "Content-Length: 4", "Host: HOST", "X-Two: 1", "X-Two: 2"}},
		"empty": {http.MethodPost, "", nil, []string{"POST /p?q=%zz;r HTTP/1.1", "Content-Length: 0", "Host: HOST", "X-Two: 1", "X-Two: 2"}},
		"get":   {http.MethodGet, "", nil, []string{"GET /p?q=%zz;r HTTP/1.1", "Host: HOST", "X-Two: 1", "X-Two: 2"}},
		"framed by the caller": {http.MethodPost, "body", func(r *http.Request) {
			for _, name := range []string{"Content-Length", "content-length", "Transfer-Encoding", "transfer-encoding", "Host", "Trailer", "Connection"} {
				r.Header[name] = []string{"chunked"}
			}
		}, []string{"POST /p?q=%zz;r HTTP/1.1", "Content-Length: 4", "Host: HOST", "X-Two: 1", "X-Two: 2"}},
		"blanks": {http.MethodPost, "", func(r *http.Request) { r.Header["X-Two"] = []string{" \ta b\t "} },
			[]string{"POST /p?q=%zz;r HTTP/1.1", "Content-Length: 0", "Host: HOST", "X-Two: a b"}},
	} {
		w := record(t)
		r := w.request(t, tt.method, tt.body)
		if tt.edit != nil {
			tt.edit(r)
		}
		answer, err := w.client().RoundTrip(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = answer.Body.Close() // it is empty
		head, body, _ := strings.Cut(w.String(), "\r\n\r\n")
		lines := strings.Split(strings.ReplaceAll(head, w.server.Addr().String(), "HOST"), "\r\n")
		slices.Sort(lines[1:])
		if !slices.Equal(lines, tt.want) || body != tt.body {
			t.Errorf("%s: written %q and %q", name, lines, body)
		}
	}
}

// TestUnspeakable: what would end a line, a header or the message early is never
// begun.
func TestUnspeakable(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"method":          func(r *http.Request) { r.Method = "POST / HTTP/1.1\r\nX:" },
		"no method":       func(r *http.Request) { r.Method = "" },
		"host":            func(r *http.Request) { r.URL.Host += "\r\nX: y" },
		"query":           func(r *http.Request) { r.URL.RawQuery = "a b" },
		"query's line":    func(r *http.Request) { r.URL.RawQuery = "a\r\nX:y" },
		"opaque":          func(r *http.Request) { r.URL.Opaque = "/ HTTP/1.1\r\nX:y" },
		"header's name":   func(r *http.Request) { r.Header["X:y"] = []string{"z"} },
		"header's line":   func(r *http.Request) { r.Header["X"] = []string{"y\nz: 1"} },
		"header's zero":   func(r *http.Request) { r.Header["X"] = []string{"y\x00"} },
		"second value":    func(r *http.Request) { r.Header["X"] = []string{"y", "z\r"} },
		"length":          func(r *http.Request) { r.ContentLength = -1 },
		"length, no body": func(r *http.Request) { r.Body = nil },
	} {
		w := record(t)
		r := w.request(t, http.MethodPost, "body")
		edit(r)
		if answer, err := w.client().RoundTrip(r); err == nil {
			_ = answer.Body.Close() // it should not be there
			t.Errorf("%s: it was sent", name)
		}
		if w.Len() > 0 {
			t.Errorf("%s: written %q", name, w.String())
		}
	}
}

// TestBodyOfAnotherLength: a Pool's body is as long as its request says, or nothing
// is written.
func TestBodyOfAnotherLength(t *testing.T) {
	for _, length := range []int64{0, 3, 5} {
		w := record(t)
		r := w.request(t, http.MethodPost, "")
		pool, err := upstream.New(upstream.Config{URLs: []*url.URL{r.URL}, Transport: w.client(), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		r.Body, r.ContentLength = upstream.NewBody([]byte("body")), length
		if _, err := pool.RoundTrip(r); err == nil || w.Len() > 0 {
			t.Errorf("a body of 4 bytes as one of %d: %v, written %q", length, err, w.String())
		}
	}
}

// TestAnsweredEarly: a server may answer and hang up before it has read the whole request
// (RFC 9112 §9.5). Who only hangs up has not answered.
func TestAnsweredEarly(t *testing.T) {
	for text, want := range map[string]int{"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno": http.StatusRequestEntityTooLarge, "HTTP/1.1 413 Too La": 0, "": 0} {
		address := hangsUp(t, text)
		body := upstream.NewBody(make([]byte, 32<<20)) // more than lies between the two
		r, err := http.NewRequest(http.MethodPost, "http://"+address, body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 32 << 20
		answer, err := client(time.Now).RoundTrip(r)
		if want == 0 {
			if err == nil {
				t.Errorf("%q: got %s", text, answer.Status)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		said, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != want || string(said) != "no" || answer.Body.Close() != nil {
			t.Errorf("%q: got %s, %q, %v", text, answer.Status, said, err)
		}
	}
}

// hangsUp is a server that reads the header, says a text and closes.
func hangsUp(t *testing.T, text string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}()
	return l.Addr().String()
}
