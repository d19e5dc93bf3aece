package wire

import (
	"errors"
	"net"
	"syscall"
)

// listenError reports an address that cannot be listened on.
type listenError struct {
	key string // of the config, as "listen.address"
	err error
}

// Error is "key: what is wrong".
func (e *listenError) Error() string { return e.key + ": " + e.err.Error() }

// Unwrap returns what is wrong.
func (e *listenError) Unwrap() error { return e.err }

// Hint is what to do about it; it may be empty.
func (e *listenError) Hint() string {
	switch {
	case errors.Is(e.err, syscall.EACCES) && e.key == httpPortKey:
		return "set tls.acme.http_port = 0 to do without HTTP-01 (TLS-ALPN-01 is answered on listen.address, which must be reached as port 443), or " + privilege
	case errors.Is(e.err, syscall.EACCES):
		return "use a port from 1024 on, or " + privilege
	case errors.Is(e.err, syscall.EADDRINUSE):
		return "another program listens there: stop it, or use another port"
	}
	return ""
}

const (
	httpPortKey = "tls.acme.http_port"
	privilege   = "give it the capability CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or lower the sysctl net.ipv4.ip_unprivileged_port_start"
)

// listenOn opens a listener for the key that names its address.
func listenOn(key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, &listenError{key, err}
	}
	return l, nil
}
