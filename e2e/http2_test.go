package e2e_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestHTTP2Abuse: what is sent to exhaust a server by its own protocol ends the
// connection it comes on, or costs no more than it says, while good calls on
// other connections go on.
func TestHTTP2Abuse(t *testing.T) {
	length := time.Second
	if long() {
		length = 15 * time.Second
	}
	g := newGateway(t, newUpstream(t).URL, "")
	p := newProvider(t, g, 1)
	g.start(t)
	p.connect(t, g.roots(t))
	for name, attack := range map[string]func(c *abuser) error{
		"rapid reset (CVE-2023-44487)":        (*abuser).rapidReset,
		"CONTINUATION flood (CVE-2023-45288)": (*abuser).continuations,
		"SETTINGS flood (CVE-2019-9515)":      (*abuser).settings,
		"PING flood (CVE-2019-9512)":          (*abuser).pings,
		"empty frames (CVE-2019-9518)":        (*abuser).emptyFrames,
		"window of nothing (CVE-2019-9517)":   (*abuser).neverReads,
	} {
		t.Run(name, func(t *testing.T) {
			enough := make(chan struct{})
			ended := make(chan int, 1)
			go func() { ended <- g.abuse(t, attack, enough) }()
			calls := atRate(20, length, func(i int) error { return p.knock(t.Context(), fmt.Sprint(name, i)) })
			close(enough)
			cut := <-ended
			if len(calls.failed) > 0 {
				t.Errorf("%d of %d good calls failed, first: %v", len(calls.failed), len(calls.failed)+len(calls.took), calls.failed[0])
			}
			t.Logf("%d good calls, p99 %v; %d connections cut; %d KiB resident", len(calls.took), calls.quantile(0.99), cut, g.memory(t))
		})
	}
	soon(t, "nothing is left of it", func() bool { return g.metric(t, "kmproxy_goroutines") < 100 })
	g.stop(t)
}

// abuse attacks over one connection after the other until enough is closed, and
// counts those that the server ended.
func (g *gateway) abuse(t *testing.T, attack func(c *abuser) error, enough <-chan struct{}) (cut int) {
	for {
		select {
		case <-enough:
			return cut
		default:
		}
		conn, err := tls.Dial("tcp", g.public, &tls.Config{RootCAs: g.roots(t), ServerName: "localhost", NextProtos: []string{"h2"}})
		if err != nil {
			t.Error(err)
			return cut
		}
		if err := attack(newAbuser(conn, enough)); err != nil && !errors.Is(err, errEnough) {
			cut++
		}
		_ = conn.Close()
	}
}

var errEnough = errors.New("the attack is over")

// abuser writes frames as it likes.
type abuser struct {
	conn   *tls.Conn
	framer *http2.Framer
	enough <-chan struct{}
	stream uint32
	head   []byte
}

func newAbuser(conn *tls.Conn, enough <-chan struct{}) *abuser {
	c := &abuser{conn: conn, framer: http2.NewFramer(conn, conn), enough: enough, stream: 1}
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", arsPath}, {"content-type", "application/json"}} {
		_ = e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // a bytes.Buffer takes everything
	}
	c.head = block.Bytes()
	return c
}

// begin opens the connection; what the server sends is read and dropped.
func (c *abuser) begin() error {
	go func() { _, _ = io.Copy(io.Discard, c.conn) }() // ends with the connection
	return c.preface()
}

func (c *abuser) preface() error {
	if _, err := io.WriteString(c.conn, http2.ClientPreface); err != nil {
		return err
	}
	return c.framer.WriteSettings()
}

// again repeats a step until the server hangs up or the test has seen enough.
func (c *abuser) again(step func() error) error {
	for {
		select {
		case <-c.enough:
			return errEnough
		default:
		}
		if err := step(); err != nil {
			return err
		}
	}
}

func (c *abuser) headers(ended bool) error {
	return c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.stream, BlockFragment: c.head, EndHeaders: ended})
}

func (c *abuser) rapidReset() error {
	if err := c.begin(); err != nil {
		return err
	}
	return c.again(func() error {
		err := errors.Join(c.headers(true), c.framer.WriteRSTStream(c.stream, http2.ErrCodeCancel))
		c.stream += 2
		return err
	})
}

func (c *abuser) continuations() error {
	if err := errors.Join(c.begin(), c.headers(false)); err != nil {
		return err
	}
	field := append([]byte{0, 1, 'x', 0x7f, 0x81, 0x1f}, bytes.Repeat([]byte{'y'}, 4096)...) // a literal field of 4 KiB
	return c.again(func() error { return c.framer.WriteContinuation(c.stream, false, field) })
}

func (c *abuser) settings() error {
	if err := c.preface(); err != nil { // the acknowledgements are never read
		return err
	}
	return c.again(func() error { return c.framer.WriteSettings() })
}

func (c *abuser) pings() error {
	if err := c.preface(); err != nil {
		return err
	}
	return c.again(func() error { return c.framer.WritePing(false, [8]byte{}) })
}

func (c *abuser) emptyFrames() error {
	if err := errors.Join(c.begin(), c.headers(true)); err != nil {
		return err
	}
	return c.again(func() error { return c.framer.WriteData(c.stream, false, nil) })
}

// neverReads asks again and again and takes no answer.
func (c *abuser) neverReads() error {
	if err := errors.Join(c.preface(), c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})); err != nil {
		return err
	}
	return c.again(func() error {
		err := errors.Join(c.headers(true), c.framer.WriteData(c.stream, true, []byte("{}")))
		c.stream += 2
		return err
	})
}
