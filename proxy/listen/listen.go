// Package listen is the edge: TLS with its certificate sources, the limits that
// every connection has, and a stop that finishes the pending requests.
package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"kmproxy/proxy/origin"
)

// Limits of a connection. Bodies are bounded by the handler.
const (
	maxHeaderBytes    = 16 << 10
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second // a whole request
	idleTimeout       = 2 * time.Minute
	maxStreams        = 100       // requests at once on one HTTP/2 connection
	maxFrameBytes     = 16 << 10  // the least that RFC 9113 §4.2 allows
	connectionWindow  = 256 << 10 // bytes that a peer may send before the handlers have read them
	streamWindow      = 128 << 10 // the same for one request
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

	// Trusted are the proxies that the bounds of one address are not for; nil: none.
	Trusted func() origin.Trusted
	// ProxyProtocol reports whether those must send a PROXY header; nil: they must not.
	ProxyProtocol func() bool
	Failures      *Failures // of TLS handshakes; may be nil
	// Reserve takes memory for one connection and reports whether there was some;
	// Release gives it back. Both are set or neither. They must not block.
	Reserve func() bool
	Release func()
}

func (c Config) trusted() origin.Trusted {
	if c.Trusted == nil {
		return nil
	}
	return c.Trusted()
}

func (c Config) proxyProtocol() bool { return c.ProxyProtocol != nil && c.ProxyProtocol() }

// Server serves one listener.
type Server struct {
	config   Config
	http     *http.Server
	tls      *tls.Config // nil: plain HTTP
	table    *connTable
	draining atomic.Bool
}

// New makes a Server that serves nothing yet.
func New(c Config) *Server {
	s := &Server{config: c, table: newConnTable(c)}
	s.http = &http.Server{
		Handler:           s.lastWords(withTLS(c.Handler)),
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      readTimeout + c.AnswerTime,
		IdleTimeout:       idleTimeout,
		// OPTIONS * has no route either; net/http would answer it 200
		DisableGeneralOptionsHandler: true,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams, MaxReadFrameSize: maxFrameBytes,
			MaxReceiveBufferPerConnection: connectionWindow, MaxReceiveBufferPerStream: streamWindow},
		ConnState:   s.table.stateChanged,
		ConnContext: connContext,
		ErrorLog:    slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	if c.Certificates != nil {
		s.tls = tlsConfig(c)
		s.http.TLSConfig = s.tls // says that HTTP/2 is spoken
	}
	return s
}

// lastWords announces in the answers during a stop that their connections end, so that
// clients do not send another request.
func (s *Server) lastWords(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close") // over HTTP/2: GOAWAY
		}
		next.ServeHTTP(w, r)
	})
}

// Serve answers on l until ctx ends, then takes no new connection and lets the
// pending requests finish, for at most 30 seconds. Connections are
// closed after their next answer, or when idle after 2 seconds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	g := newGate(s.config, s.tls, s.table, l)
	accepted, served := make(chan error, 1), make(chan struct{})
	go func() { accepted <- g.run() }()
	go func() {
		defer close(served)
		_ = s.http.Serve(g) // ends with the gate
	}()
	var failed error
	select {
	case err := <-accepted:
		failed = fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
		s.draining.Store(true)
		_ = l.Close() // Shutdown would close the gate alone, and only after the lingering
		<-accepted    // the last connection is in the table now
		s.table.waitEmpty(lingerTime)
	}
	_ = g.Close() // it cannot fail
	<-served
	if failed != nil {
		return failed
	}
	return s.drain(ctx, l)
}

func (s *Server) drain(ctx context.Context, l net.Listener) error {
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := s.http.Shutdown(drain); err != nil {
		_ = s.http.Close() // the drain has ended: open connections are closed
		return fmt.Errorf("stopping %s: requests were cut off: %w", l.Addr(), err)
	}
	return nil
}
