package wire

import (
	"errors"
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"

	"kmproxy/cmd/internal/config"
)

// Names of sockets that systemd hands over (FileDescriptorName=).
const (
	publicSocket = "public"
	adminSocket  = "admin"
)

// sockets are the two listeners of a Gateway.
type sockets struct{ public, admin net.Listener }

// openSockets takes over what systemd opened, so that nobody is turned away
// during a restart, and opens what it did not. A single socket without one of our
// names is the public one.
func openSockets(c config.Config) (s sockets, err error) {
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	given, err := activation.ListenersWithNames()
	if err != nil {
		return s, fmt.Errorf("taking over systemd's sockets: %w", err)
	}
	for name, list := range given {
		if err := s.take(name, list, len(given)); err != nil {
			return s, err
		}
	}
	if s.public == nil {
		if s.public, err = listenOn("listen.address", c.Listen.Address); err != nil {
			return s, err
		}
	}
	if s.admin == nil {
		if s.admin, err = listenOn("admin.address", c.Admin.Address); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *sockets) take(name string, list []net.Listener, names int) error {
	if len(list) != 1 || list[0] == nil {
		return fmt.Errorf("systemd's socket %q is not one stream socket", name)
	}
	switch {
	case name == adminSocket:
		s.admin = list[0]
	case name == publicSocket, names == 1:
		s.public = list[0]
	default:
		return errors.Join(fmt.Errorf("systemd's socket %q is unknown here: set FileDescriptorName to %s or %s", name, publicSocket, adminSocket), list[0].Close())
	}
	return nil
}

func (s *sockets) close() {
	for _, l := range []net.Listener{s.public, s.admin} {
		if l != nil {
			_ = l.Close() // nobody was served by it
		}
	}
}
