package listen_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/listen"
	"kmproxy/proxy/origin"
)

// v2 writes a PROXY header of version 2.
func v2(command, family byte, body string) string {
	head := binary.BigEndian.AppendUint16([]byte{command, family}, uint16(len(body)))
	return "\r\n\r\n\x00\r\nQUIT\n" + string(head) + body
}

const (
	v4Pair = "\xc0\x00\x02\x07\x7f\x00\x00\x01\x11\x11\x22\x22" // 192.0.2.7:4369 to 127.0.0.1:8738
	v6Half = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07"
)

// behind sends header and then a request, and returns what the handler saw of
// the address; empty if the connection was closed instead.
func (e *edge) behind(t *testing.T, header string) string {
	t.Helper()
	raw, err := net.Dial("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }() // answered, or refused
	_, _ = io.WriteString(raw, header) // refused at once, perhaps
	conn := tls.Client(raw, &tls.Config{RootCAs: e.roots, ServerName: "127.0.0.1"})
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // loopback connections take deadlines
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return ""
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return ""
	}
	defer func() { _ = answer.Body.Close() }() // it is empty
	return answer.Header.Get("From")
}

func proxied(t *testing.T, trusted string, set func(*listen.Config)) *edge {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("From", r.RemoteAddr) }, func(c *listen.Config) {
		c.Trusted = func() origin.Trusted { return origin.Trusted{netip.MustParsePrefix(trusted)} }
		c.ProxyProtocol = func() bool { return true }
		if set != nil {
			set(c)
		}
	})
}

func TestProxyHeader(t *testing.T) {
	e := proxied(t, "127.0.0.0/8", nil)
	const own = "127.0.0.1"
	for name, tt := range map[string]struct{ header, want string }{
		"v1":               {"PROXY TCP4 192.0.2.7 127.0.0.1 4369 8443\r\n", "192.0.2.7:4369"},
		"v1 IPv6":          {"PROXY TCP6 2001:db8::7 ::1 4369 8443\r\n", "[2001:db8::7]:4369"},
		"v1 of itself":     {"PROXY UNKNOWN\r\n", own},
		"v1 unknown, more": {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", own},
		"v2":               {v2(0x21, 0x11, v4Pair), "192.0.2.7:4369"},
		"v2 IPv6":          {v2(0x21, 0x21, v6Half+v6Half+"\x11\x11\x22\x22"), "[2001:db8::7]:4369"},
		"v2 with TLVs":     {v2(0x21, 0x11, v4Pair+"\x04\x00\x01x"), "192.0.2.7:4369"},
		"v2 of itself":     {v2(0x20, 0x00, ""), own},
		"v2 local, more":   {v2(0x20, 0x11, v4Pair), own},
		"v2 unspecified":   {v2(0x21, 0x00, ""), own},

		"none":                     {"", ""},
		"another protocol":         {"GET / HTTP/1.1\r\n\r\n", ""},
		"twice":                    {"PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n", ""},
		"v1 without a CR":          {"PROXY TCP4 192.0.2.7 127.0.0.1 4369 8443\n", ""},
		"v1 of another family":     {"PROXY TCP6 192.0.2.7 127.0.0.1 4369 8443\r\n", ""},
		"v1 mixed families":        {"PROXY TCP4 192.0.2.7 ::1 4369 8443\r\n", ""},
		"v1 of UDP":                {"PROXY UDP4 192.0.2.7 127.0.0.1 4369 8443\r\n", ""},
		"v1 with a zone":           {"PROXY TCP6 fe80::1%lo ::1 4369 8443\r\n", ""},
		"v1 with a bad port":       {"PROXY TCP4 192.0.2.7 127.0.0.1 65536 8443\r\n", ""},
		"v1 with a field less":     {"PROXY TCP4 192.0.2.7 127.0.0.1 4369\r\n", ""},
		"v1 with two blanks":       {"PROXY TCP4  192.0.2.7 127.0.0.1 4369 8443\r\n", ""},
		"v1 too long":              {"PROXY UNKNOWN " + strings.Repeat("x", 200) + "\r\n", ""},
		"v2 of another version":    {v2(0x11, 0x11, v4Pair), ""},
		"v2 of another command":    {v2(0x22, 0x11, v4Pair), ""},
		"v2 of UDP":                {v2(0x21, 0x12, v4Pair), ""},
		"v2 of a unix socket":      {v2(0x21, 0x31, strings.Repeat("x", 216)), ""},
		"v2 too short":             {v2(0x21, 0x11, v4Pair[:11]), ""},
		"v2 too long":              {v2(0x20, 0x00, strings.Repeat("x", 5000)), ""},
		"v2 with a bad signature":  {"\r\n\r\n\x00\r\nQUIX\n\x20\x00\x00\x00", ""},
		"v2 cut before addresses":  {v2(0x21, 0x11, v4Pair)[:16], ""},
		"v1 with a null behind it": {"PROXY UNKNOWN\x00\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := e.behind(t, tt.header)
			if host, _, _ := net.SplitHostPort(got); got != tt.want && host != tt.want {
				t.Errorf("it comes from %q, want %q", got, tt.want)
			}
		})
	}
}

// TestProxyHeaderOfAStranger: a header from elsewhere is not believed.
func TestProxyHeaderOfAStranger(t *testing.T) {
	e := proxied(t, "10.0.0.0/8", nil)
	if got := e.behind(t, "PROXY TCP4 192.0.2.7 127.0.0.1 4369 8443\r\n"); got != "" {
		t.Errorf("it is believed: %s", got)
	}
	if got := e.behind(t, ""); !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("without a header it comes from %q", got)
	}
}

// TestSlowProxyHeaders: proxies that say nothing hold up no other, and are cut off.
func TestSlowProxyHeaders(t *testing.T) {
	failures := listen.NewFailures(slog.New(slog.DiscardHandler), time.Now)
	e := proxied(t, "127.0.0.0/8", func(c *listen.Config) { c.Failures = failures })
	var silent []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", e.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		silent = append(silent, c)
	}
	if got := e.behind(t, "PROXY UNKNOWN\r\n"); got == "" {
		t.Error("one that speaks is not answered")
	}
	for _, c := range silent {
		wantClosed(t, "a silent one", c)
	}
	wantFailures(t, failures, "timeout", len(silent))
}

// TestProxiedClientsAreCountedApart: the bound of one address is for the client,
// not for the proxy that brings it.
func TestProxiedClientsAreCountedApart(t *testing.T) {
	e := proxied(t, "127.0.0.0/8", func(c *listen.Config) { c.Limits = listen.Limits{ConnsPerAddress: 1} })
	open := func(header string) net.Conn {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; { // refused while the one before is still being answered
			conn, err := e.through(header)
			if err == nil {
				t.Cleanup(func() { _ = conn.Close() })
				return conn
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	first := open("PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n")
	other := open("PROXY TCP4 192.0.2.8 127.0.0.1 1 2\r\n")
	if err := ask(first); err != nil {
		t.Errorf("another client closed it: %v", err)
	}
	open("PROXY TCP4 192.0.2.7 127.0.0.1 3 2\r\n")
	wantClosed(t, "the same client's first one", first)
	if err := ask(other); err != nil {
		t.Errorf("the other client's: %v", err)
	}
}

// through makes a request over a connection that begins with a PROXY header.
func (e *edge) through(header string) (net.Conn, error) {
	raw, err := net.Dial("tcp", e.address)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, &tls.Config{RootCAs: e.roots, ServerName: "127.0.0.1"})
	if _, err = io.WriteString(raw, header); err == nil {
		err = ask(conn)
	}
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}
