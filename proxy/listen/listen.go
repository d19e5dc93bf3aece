// Package listen is the edge: TLS with its certificate sources, the limits that
// every connection has, and a stop that finishes what was begun.
package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Limits of a connection. Bodies are bounded by the handler.
const (
	maxHeaderBytes    = 16 << 10
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second // a whole request
	idleTimeout       = 2 * time.Minute
	maxStreams        = 100      // requests at once on one HTTP/2 connection
	maxFrameBytes     = 16 << 10 // the least that RFC 9113 §4.2 allows
	drainTime         = 30 * time.Second
	lingerTime        = 2 * time.Second // of that, for connections at rest to be used once more
)

// Certificates gives the certificate of a handshake. It is safe for concurrent use.
type Certificates func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// Config is what a Server works with.
type Config struct {
	Handler      http.Handler
	Certificates Certificates   // nil: plain HTTP, for the admin listener
	ClientCAs    *x509.CertPool // set: client certificates are demanded
	AskClients   func() bool    // whether clients are asked for a certificate that they need not have; nil: never
	Challenge    Certificates   // answers an ACME server's probes (acme-tls/1); nil: it gets none
	AnswerTime   time.Duration  // how long a handler may take to answer
	Limits       Limits         // of connections; zero: none
	Log          *slog.Logger
}

// Server serves one listener.
type Server struct {
	http     *http.Server
	tls      bool
	crowd    *crowd
	draining atomic.Bool
}

// New makes a Server that serves nothing yet.
func New(c Config) *Server {
	s := &Server{tls: c.Certificates != nil, crowd: newCrowd(c.Limits)}
	s.http = &http.Server{
		Handler:           s.lastWords(c.Handler),
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + c.AnswerTime,
		IdleTimeout:       idleTimeout,
		// OPTIONS * has no route either; net/http would answer it 200
		DisableGeneralOptionsHandler: true,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReadFrameSize: maxFrameBytes},
		ConnState:                    s.crowd.changed,
		ErrorLog:                     slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	if c.Certificates != nil {
		s.http.TLSConfig = tlsConfig(c)
	}
	return s
}

// lastWords tells who still uses a connection while we stop that it ends with
// this answer, so that he does not send the next request into its end.
func (s *Server) lastWords(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close") // over HTTP/2: GOAWAY
		}
		next.ServeHTTP(w, r)
	})
}

// Serve answers on l until ctx ends, then takes no new connection and lets the
// requests that were begun finish, for at most 30 seconds. Connections are
// closed after their next answer, or at rest after 2 seconds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- s.accept(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	_ = l.Close() // Shutdown would do it as well, but only after the lingering
	<-failed      // else Shutdown may close it once more, and who came last not be in the crowd yet
	s.crowd.linger(lingerTime)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := s.http.Shutdown(drain); err != nil {
		_ = s.http.Close() // the drain is over: what is still open is cut
		return fmt.Errorf("stopping %s: requests were cut off: %w", l.Addr(), err)
	}
	return nil
}

func (s *Server) accept(l net.Listener) error {
	var err error
	if s.tls {
		err = s.http.ServeTLS(l, "", "")
	} else {
		err = s.http.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) || s.draining.Load() {
		return nil
	}
	return err
}
