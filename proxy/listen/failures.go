package listen

import (
	"cmp"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Failures counts the TLS handshakes that failed, by reason, and logs some of
// them. The nil Failures does neither. It is safe for concurrent use.
type Failures struct {
	log *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	seen map[string]*seen
}

// seen is the failures for one reason.
type seen struct {
	count   uint64
	logged  time.Time
	skipped uint64 // since then
}

// Failure is how many handshakes failed for one reason.
type Failure struct {
	Reason string // one of a fixed set
	Count  uint64
}

// The reasons, as the metric has them.
const (
	failedVersion     = "protocol_version"
	failedALPN        = "alpn"
	failedCipher      = "cipher_suite"
	failedNoClient    = "client_certificate_missing"
	failedBadClient   = "client_certificate_invalid"
	failedCertificate = "no_certificate"
	failedNotTLS      = "not_tls"
	failedAlert       = "refused_by_peer"
	failedClosed      = "closed_by_peer"
	failedTimeout     = "timeout"
	failedProxyHeader = "proxy_header"
	failedOther       = "other"
)

var failureReasons = []string{failedVersion, failedALPN, failedCipher, failedNoClient, failedBadClient, failedCertificate,
	failedNotTLS, failedAlert, failedClosed, failedTimeout, failedProxyHeader, failedOther}

// NewFailures counts and logs to log, at most a line a reason in ten seconds.
func NewFailures(log *slog.Logger, now func() time.Time) *Failures {
	f := &Failures{log: log, now: now, seen: map[string]*seen{}}
	for _, r := range failureReasons {
		f.seen[r] = &seen{}
	}
	return f
}

// All returns the counts, those of 0 as well, sorted by reason.
func (f *Failures) All() []Failure {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Failure
	for r, s := range f.seen {
		all = append(all, Failure{r, s.count})
	}
	slices.SortFunc(all, func(a, b Failure) int { return cmp.Compare(a.Reason, b.Reason) })
	return all
}

func (f *Failures) note(reason, peer string, err error) {
	if f == nil || errors.Is(err, errProbe) {
		return
	}
	if skipped, due := f.count(reason); due {
		f.log.Info("a TLS handshake failed", "reason", reason, "peer", peer, "error", printable(err.Error()), "more_since_the_last_line", skipped)
	}
}

// count reports whether a line is due, and how many were left out before it.
func (f *Failures) count(reason string) (skipped uint64, due bool) {
	const between = 10 * time.Second
	f.mu.Lock()
	defer f.mu.Unlock()
	s, now := f.seen[reason], f.now()
	s.count++
	if !s.logged.IsZero() && now.Sub(s.logged).Abs() < between {
		s.skipped++
		return 0, false
	}
	skipped, s.skipped, s.logged = s.skipped, 0, now
	return skipped, true
}

// printable bounds a text that a client may have had a part in.
func printable(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}

// certificateError is a failure of Config.Certificates.
type certificateError struct{ err error }

func (e certificateError) Error() string { return "no certificate to show: " + e.err.Error() }
func (e certificateError) Unwrap() error { return e.err }

func failureOf(err error) string {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return failedTimeout
	}
	if _, ok := errors.AsType[certificateError](err); ok {
		return failedCertificate
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return failedNotTLS
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return failedBadClient
	}
	switch {
	case errors.Is(err, errProxyHeader):
		return failedProxyHeader
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return failedClosed
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return failedAlert
	}
	return failureByText(err.Error())
}

// failureByText uses the texts of crypto/tls, which has no types for these. A test that
// provokes each of them fails if a new version of Go changes a text.
func failureByText(text string) string {
	for _, known := range []struct{ words, reason string }{
		{"unsupported versions", failedVersion},
		{"unsupported application protocols", failedALPN},
		{"no cipher suite supported", failedCipher},
		{"didn't provide a certificate", failedNoClient},
		{"client certificate", failedBadClient},
		{"certificate verif", failedBadClient},
	} {
		if strings.Contains(text, known.words) {
			return known.reason
		}
	}
	return failedOther
}
