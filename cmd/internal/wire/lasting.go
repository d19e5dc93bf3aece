package wire

import (
	"context"
	"errors"
	"log/slog"

	"crypto/x509"
	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/usage"
	"kmproxy/proxy"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/queue"
	"kmproxy/proxy/replay"
	"kmproxy/proxy/status"
)

// lasting is what a Gateway has from its start to its end: what would be wrong if a
// reload began it anew, as counts and what is remembered, and what cannot change while
// connections are open. Every serving uses the same one, so that requests of the serving
// before a reload and of the one after it share its bounds. What it is made of is safe
// for concurrent use; its fields are set by newLasting, open and listen alone.
type lasting struct {
	world  World
	log    *slog.Logger
	config config.Config // of the start; fixed lists what a reload may not change of it

	// what requests share
	budget *proxy.Budget  // of the bytes of bodies
	calls  *proxy.Calls   // pending at the upstream
	queue  *queue.Queue   // for private-key operations
	replay *replay.Memory // of requests that were processed

	// what is counted
	counters status.Counters
	failures *listen.Failures // of TLS handshakes
	usage    usage.Counter    // of keys, since the start
	counted  []keys.Use       // by processes before this one
	ledger   keys.Ledger

	// what connections are taken with
	sockets sockets
	table   listen.Limits  // of connections: what the descriptors suffice for
	clients *x509.CertPool // nil: client certificates are not demanded
	acme    *authority     // nil unless tls.mode is "acme"
}

func newLasting(c config.Config, w World, log *slog.Logger) *lasting {
	fit := fitDescriptors(c.Limits, log)
	return &lasting{
		world:    w,
		log:      log,
		config:   c,
		budget:   proxy.NewBudget(c.Limits.BodyMemoryBytes),
		calls:    proxy.NewCalls(fit.UpstreamCalls),
		queue:    newQueue(),
		replay:   newReplay(c.Limits.ReplayRequests),
		failures: listen.NewFailures(log, w.Now),
		table:    limits(fit),
	}
}

// open reads and opens the files that last. Without an error, close must follow.
func (l *lasting) open(ctx context.Context, store keys.Backend) error {
	clients, err := authorities("tls.client_ca_file", l.config.TLS.ClientCAFile)
	if err != nil {
		return err
	}
	l.clients = poolOf(clients)
	if l.ledger, l.counted, err = store.OpenLedger(ctx); err != nil {
		return err
	}
	if err := l.keepReplay(l.config); err != nil {
		return errors.Join(err, l.ledger.Close())
	}
	return nil
}

// close closes what open opened.
func (l *lasting) close() error {
	l.replay.Close()
	return l.ledger.Close()
}

// listen opens the listeners, last of all. They are closed by what serves them.
func (l *lasting) listen() (err error) {
	if l.sockets, err = openSockets(l.config); err != nil {
		return err
	}
	if l.config.TLS.Mode != config.TLSACME {
		return nil
	}
	if l.acme, err = openAuthority(l.config, l.sockets.public.Addr(), l.log); err != nil {
		l.sockets.close()
	}
	return err
}
