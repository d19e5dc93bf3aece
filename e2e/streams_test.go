package e2e_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"kmproxy/keys"
	"kmproxy/proxy/caller"
)

// TestStreamsThatHoldBack: streams that declare much and send little neither take
// memory beyond limits.body_memory and 128 MiB, nor anything from other callers,
// whether a stranger opens them or a registered project does.
func TestStreamsThatHoldBack(t *testing.T) {
	waves, later := 1, 2*time.Second
	if long() {
		waves, later = 3, 10*time.Second
	}
	for name, tt := range map[string]struct {
		conns, streams, declared, sent int
		from                           string // the address of the attacker; callers are at 127.0.0.1
		registered                     bool
	}{
		"one byte of a megabyte":                    {100, 100, 1 << 20, 1, "127.0.0.2", false},
		"one byte of a megabyte, at our address":    {100, 100, 1 << 20, 1, "127.0.0.1", false},
		"all but the last byte":                     {4, 64, 1 << 20, 1<<20 - 1, "127.0.0.2", false},
		"all but the last byte, at our address":     {4, 64, 1 << 20, 1<<20 - 1, "127.0.0.1", false},
		"all but the last byte, registered project": {4, 64, 1 << 20, 1<<20 - 1, "127.0.0.2", true},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, newUpstream(t).URL, "")
			good, bad := newProvider(t, g, 1), newProvider(t, g, 2)
			g.start(t)
			good.connect(t, g.roots(t))
			if !tt.registered {
				bad.AccessKey = keys.AccessKey(strings.Repeat("0", 40))
			}
			h := holder{g: g, from: tt.from, head: streamHead(t, &bad.Caller, tt.declared), conns: tt.conns, streams: tt.streams, sent: tt.sent}
			for range waves {
				end := h.wave(t)
				calls := atRate(20, 3*time.Second, func(i int) error { return good.knock(t.Context(), fmt.Sprint(name, i)) })
				if len(calls.failed) > 0 {
					t.Errorf("%d of %d good calls failed, first: %v", len(calls.failed), len(calls.failed)+len(calls.took), calls.failed[0])
				}
				g.wantMemory(t, 256+128)
				end()
				g.wantMemory(t, 256+128)
			}
			g.wantMemoryBeside(t, good, later)
			good.conns.CloseIdleConnections() // they have memory too
			soon(t, "the memory is given back", func() bool { return g.metric(t, "kmproxy_body_bytes") < 1<<20 })
			g.stop(t)
		})
	}
}

// wantMemoryBeside makes good calls for so long, and wants all of them to succeed and
// the memory to stay below its bound.
func (g *gateway) wantMemoryBeside(t *testing.T, good *provider, long time.Duration) {
	t.Helper()
	const rate = 20
	calls := atRate(rate, long, func(i int) error {
		if i%rate == 0 {
			g.wantMemory(t, 256+128)
		}
		return good.knock(t.Context(), fmt.Sprint(t.Name(), "later", i))
	})
	if len(calls.failed) > 0 {
		t.Errorf("%d good calls failed later, first: %v", len(calls.failed), calls.failed[0])
	}
}

func (g *gateway) wantMemory(t *testing.T, most int) {
	t.Helper()
	if got := g.memory(t) >> 10; got > most {
		t.Errorf("%d MiB are resident, at most %d MiB are wanted", got, most)
	} else {
		t.Logf("%d MiB are resident", got)
	}
}

// streamHead is a request's HTTP/2 header that is signed, but not for its body.
func streamHead(t *testing.T, c *caller.Caller, declared int) []byte {
	t.Helper()
	h := http.Header{}
	c.Sign(h, []byte("x"))
	return headBlock(t, h, declared)
}

// headBlock is the HTTP/2 header of a request with those headers and a body of that
// length.
func headBlock(t *testing.T, h http.Header, declared int) []byte {
	t.Helper()
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	e.SetMaxDynamicTableSize(0) // the same bytes do for every stream
	write := func(name, value string) {
		if err := e.WriteField(hpack.HeaderField{Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	write(":method", "POST")
	write(":scheme", "https")
	write(":authority", "localhost")
	write(":path", arsPath)
	for name, values := range h { // not all of the names are canonical
		if !strings.EqualFold(name, "Content-Length") {
			write(strings.ToLower(name), values[0])
		}
	}
	write("content-length", strconv.Itoa(declared))
	return block.Bytes()
}

// holder opens streams and does not end them.
type holder struct {
	g                    *gateway
	from                 string
	head                 []byte
	conns, streams, sent int
}

// wave opens all connections and streams; those that the server gives up are not
// opened again. end closes them.
func (h holder) wave(t *testing.T) (end func()) {
	t.Helper()
	var all sync.WaitGroup
	conns := make([]*tls.Conn, h.conns)
	for i := range conns {
		all.Go(func() { conns[i] = h.open(t) })
	}
	all.Wait()
	return func() {
		for _, c := range conns {
			if c != nil {
				_ = c.NetConn().Close()
			}
		}
	}
}

// open returns nil if the server did not take the connection.
func (h holder) open(t *testing.T) *tls.Conn {
	dialer := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(h.from)}},
		Config: &tls.Config{RootCAs: h.g.roots(t), ServerName: "localhost", NextProtos: []string{"h2"}}}
	c, err := dialer.DialContext(t.Context(), "tcp", h.g.public)
	if err != nil {
		return nil
	}
	conn := c.(*tls.Conn)
	_ = conn.SetDeadline(time.Now().Add(patience))
	if err := h.fill(conn); err != nil {
		t.Logf("a connection was cut: %v", err)
	}
	return conn
}

// fill sends what the flow control lets through at once.
func (h holder) fill(conn *tls.Conn) error {
	framer := http2.NewFramer(conn, conn)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return err
	}
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	w := &windows{streams: map[uint32]int{}}
	w.more = sync.NewCond(&w.mu)
	go w.read(framer)
	var failed error
	for i := range h.streams {
		id := uint32(2*i + 1)
		w.open(id)
		failed = errors.Join(failed, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: h.head, EndHeaders: true}))
		for left := h.sent; left > 0 && failed == nil; {
			n := w.take(id, min(left, 16<<10))
			if n == 0 {
				break // the server is done with it
			}
			failed = framer.WriteData(id, false, make([]byte, n))
			left -= n
		}
	}
	return failed
}

// windows is what the server's flow control allows (RFC 9113 §5.2).
type windows struct {
	mu      sync.Mutex
	more    *sync.Cond
	conn    int
	initial int
	streams map[uint32]int
	ended   bool
}

func (w *windows) open(id uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.initial == 0 {
		w.initial, w.conn = 65535, w.conn+65535
	}
	w.streams[id] = w.initial
}

// take waits until some of n bytes may be sent; 0 says that the stream is over.
func (w *windows) take(id uint32, n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		window, open := w.streams[id]
		if !open || w.ended {
			return 0
		}
		if n := min(n, window, w.conn); n > 0 {
			w.streams[id] -= n
			w.conn -= n
			return n
		}
		w.more.Wait()
	}
}

func (w *windows) read(framer *http2.Framer) {
	for {
		f, err := framer.ReadFrame()
		w.mu.Lock()
		switch f := f.(type) {
		case *http2.WindowUpdateFrame:
			if f.StreamID == 0 {
				w.conn += int(f.Increment)
			} else if _, open := w.streams[f.StreamID]; open {
				w.streams[f.StreamID] += int(f.Increment)
			}
		case *http2.RSTStreamFrame:
			delete(w.streams, f.StreamID)
		case *http2.DataFrame:
			if f.StreamEnded() {
				delete(w.streams, f.StreamID)
			}
		}
		w.ended = w.ended || err != nil
		w.more.Broadcast()
		w.mu.Unlock()
		if err != nil {
			return
		}
	}
}
