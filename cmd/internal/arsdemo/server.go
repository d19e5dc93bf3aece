package arsdemo

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Server is the service on a listener of its own. It remembers the last request.
type Server struct {
	listener net.Listener
	mu       sync.Mutex
	last     Seen
}

// Seen is a request as the service saw it.
type Seen struct {
	Header http.Header
	Body   []byte
}

// Listen opens a TCP address; Serve must follow.
func Listen(address string) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Server{listener: l}, nil
}

// URL is where the service answers, without the API's path.
func (s *Server) URL() *url.URL { return &url.URL{Scheme: "http", Host: s.listener.Addr().String()} }

// Last is the newest request.
func (s *Server) Last() Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Serve answers until ctx ends.
func (s *Server) Serve(ctx context.Context) error {
	h := &http.Server{Handler: handler(s.see), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = h.Close() }) // a demo has nothing to drain
	defer stop()
	if err := h.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *Server) see(r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = Seen{r.Header.Clone(), bytes.Clone(body)}
}
