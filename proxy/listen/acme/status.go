package acme

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// Ready returns an error unless every hostname has a certificate that is valid at now.
// Otherwise note names renewals that failed or are late and need attention. Neither has
// text of the ACME server.
func (m *Manager) Ready(now time.Time) (note string, err error) {
	var notes []string
	for _, name := range m.c.Hostnames {
		leaf := m.newest(name)
		switch {
		case leaf == nil && m.isFailing(name):
			return "", fmt.Errorf("there is no certificate for %s, and the last attempt to get one failed: see the log", name)
		case leaf == nil:
			return "", fmt.Errorf("there is no certificate for %s yet", name)
		case now.After(leaf.NotAfter):
			return "", fmt.Errorf("the certificate for %s expired at %s: see the log", name, when(leaf.NotAfter))
		case m.isFailing(name):
			notes = append(notes, fmt.Sprintf("the certificate for %s cannot be renewed and ends at %s: see the log", name, when(leaf.NotAfter)))
		case isLate(leaf, now):
			notes = append(notes, fmt.Sprintf("the certificate for %s ends at %s and was not renewed in time", name, when(leaf.NotAfter)))
		}
	}
	return strings.Join(notes, "\n"), nil
}

// lateShare is the part of its lifetime that a certificate has left when its renewal is
// late: renewals begin with a third left.
const lateShare = 6

// isLate reports whether a renewal should have come by now. It depends on the
// lifetime, so that a short-lived certificate is not always reported.
func isLate(leaf *x509.Certificate, now time.Time) bool {
	return leaf.NotAfter.Sub(now) < leaf.NotAfter.Sub(leaf.NotBefore)/lateShare
}

// Ends are the ends of the certificates in use, by hostname. A name without a
// certificate is missing.
func (m *Manager) Ends() map[string]time.Time {
	ends := map[string]time.Time{}
	for _, name := range m.c.Hostnames {
		if leaf := m.newest(name); leaf != nil {
			ends[name] = leaf.NotAfter
		}
	}
	return ends
}

// newest is the certificate of a hostname that lasts longest; nil if there is none.
func (m *Manager) newest(name string) *x509.Certificate {
	var out *x509.Certificate
	for _, c := range m.cache.AllMatchingCertificates(name) {
		if c.Leaf != nil && (out == nil || c.Leaf.NotAfter.After(out.NotAfter)) {
			out = c.Leaf
		}
	}
	return out
}

// event is called by certmagic on its events. It must not block.
func (m *Manager) event(_ context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_obtained":
		m.c.Log.Info("a certificate was obtained", "hostname", name, "renewal", data["renewal"])
		m.fails(name, false)
	case "cert_failed":
		m.tellFailure(name, data)
		m.fails(name, true)
	case "cert_ocsp_revoked":
		m.c.Log.Warn("a certificate was revoked: it is replaced", "hostnames", data["subjects"])
	}
	return nil
}

// tellFailure says how long there is left to act.
func (m *Manager) tellFailure(name string, data map[string]any) {
	if leaf := m.newest(name); leaf != nil {
		m.c.Log.Error("a certificate cannot be renewed: the one before stays in use, and it is tried again",
			"hostname", name, "ends", when(leaf.NotAfter), "error", data["error"])
		return
	}
	m.c.Log.Error("a certificate cannot be obtained: it is tried again", "hostname", name, "error", data["error"])
}

func (m *Manager) fails(name string, does bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failing[name] = does
}

func (m *Manager) isFailing(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failing[name]
}

func when(t time.Time) string { return t.UTC().Format(time.RFC3339) }
