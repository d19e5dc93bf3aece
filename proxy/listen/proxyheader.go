package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// The PROXY protocol, https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt.
const (
	proxyV1        = "PROXY "
	proxyV2        = "\r\n\r\n\x00\r\nQUIT\n"
	proxyV1Longest = 107     // with its line end (§2.1)
	proxyV2Longest = 4 << 10 // addresses take 36 bytes; other fields are skipped
)

var errProxyHeader = errors.New("no PROXY header that can be used")

// readProxyHeader reads the header that a trusted proxy must send first, and not
// a byte more. It returns the client's address, or nil where the proxy speaks for
// itself, as in health checks.
func readProxyHeader(conn io.Reader) (net.Addr, error) {
	start := make([]byte, len(proxyV1))
	if _, err := io.ReadFull(conn, start); err != nil {
		return nil, proxyHeaderError(err)
	}
	switch {
	case string(start) == proxyV1:
		return readProxyV1(conn)
	case strings.HasPrefix(proxyV2, string(start)):
		return readProxyV2(conn)
	}
	return nil, errProxyHeader
}

// proxyHeaderError keeps err for those that ask whether it was a timeout.
func proxyHeaderError(err error) error { return fmt.Errorf("%w: %w", errProxyHeader, err) }

// readProxyV1 reads byte by byte: what follows the line belongs to TLS.
func readProxyV1(conn io.Reader) (net.Addr, error) {
	line, c := make([]byte, 0, proxyV1Longest), make([]byte, 1)
	for len(line) < proxyV1Longest-len(proxyV1) {
		if _, err := io.ReadFull(conn, c); err != nil {
			return nil, proxyHeaderError(err)
		}
		if line = append(line, c[0]); c[0] == '\n' {
			text, ok := bytes.CutSuffix(line, []byte("\r\n"))
			if !ok {
				return nil, errProxyHeader
			}
			return parseProxyV1(string(text))
		}
	}
	return nil, errProxyHeader
}

func parseProxyV1(text string) (net.Addr, error) {
	fields := strings.Split(text, " ")
	if fields[0] == "UNKNOWN" {
		return nil, nil
	}
	if len(fields) != 5 || fields[0] != "TCP4" && fields[0] != "TCP6" {
		return nil, errProxyHeader
	}
	from, err := parseProxyAddress(fields[0], fields[1], fields[3])
	if err != nil {
		return nil, err
	}
	if _, err := parseProxyAddress(fields[0], fields[2], fields[4]); err != nil {
		return nil, err
	}
	return from, nil
}

func parseProxyAddress(family, ip, port string) (net.Addr, error) {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Zone() != "" || a.Is4() != (family == "TCP4") {
		return nil, errProxyHeader
	}
	full, err := netip.ParseAddrPort(net.JoinHostPort(ip, port))
	if err != nil {
		return nil, errProxyHeader
	}
	return net.TCPAddrFromAddrPort(full), nil
}

// readProxyV2 reads the rest of the signature and what it announces (§2.2).
func readProxyV2(conn io.Reader) (net.Addr, error) {
	rest := make([]byte, len(proxyV2)-len(proxyV1)+4)
	if _, err := io.ReadFull(conn, rest); err != nil {
		return nil, proxyHeaderError(err)
	}
	signature, fixed := rest[:len(rest)-4], rest[len(rest)-4:]
	length := int(binary.BigEndian.Uint16(fixed[2:]))
	if string(signature) != proxyV2[len(proxyV1):] || length > proxyV2Longest {
		return nil, errProxyHeader
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, proxyHeaderError(err)
	}
	return parseProxyV2(fixed[0], fixed[1], body)
}

// parseProxyV2 takes addresses of TCP; whatever else a proxy relays is not for us.
func parseProxyV2(command, family byte, body []byte) (net.Addr, error) {
	const local, proxied, unspecified, tcp4, tcp6 = 0x20, 0x21, 0x00, 0x11, 0x21
	size := map[byte]int{tcp4: net.IPv4len, tcp6: net.IPv6len}[family]
	switch {
	case command == local, command == proxied && family == unspecified:
		return nil, nil
	case command != proxied, size == 0, len(body) < 2*size+4:
		return nil, errProxyHeader
	}
	ip, _ := netip.AddrFromSlice(body[:size]) // both sizes suit
	port := binary.BigEndian.Uint16(body[2*size:])
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, port)), nil
}
