package listen

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// expiresSoon is how long before its end a certificate is trouble.
const expiresSoon = 14 * 24 * time.Hour

// Trouble says in words what is wrong with a certificate at now, or will be soon;
// empty: nothing. what names it. The text stays the same until the trouble changes.
func Trouble(what string, c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return fmt.Sprintf("%s expired at %s", what, when(c.NotAfter))
	case now.Before(c.NotBefore):
		return fmt.Sprintf("%s is not valid before %s", what, when(c.NotBefore))
	case now.Add(expiresSoon).After(c.NotAfter):
		return fmt.Sprintf("%s expires at %s", what, when(c.NotAfter))
	}
	return ""
}

// Uncovered is those of hostnames that a certificate is not for.
func Uncovered(c *x509.Certificate, hostnames []string) (out []string) {
	for _, name := range hostnames {
		if c.VerifyHostname(name) != nil {
			out = append(out, name)
		}
	}
	return out
}

// Disordered reports whether a certificate of a chain was not issued by the next.
func Disordered(pair *tls.Certificate) bool {
	before := pair.Leaf
	for _, der := range pair.Certificate[1:] {
		next, err := x509.ParseCertificate(der)
		if err != nil || !bytes.Equal(before.RawIssuer, next.RawSubject) {
			return true
		}
		before = next
	}
	return false
}

// replaces reports why next may not take the place of now's certificate; nil: it may.
// A certificate that is valid gives way to a valid one only, another to one that lasts
// longer as well.
func replaces(next, now *x509.Certificate, at time.Time) error {
	switch {
	case valid(next, at), !valid(now, at) && next.NotAfter.After(now.NotAfter):
		return nil
	case at.After(next.NotAfter):
		return fmt.Errorf("its certificate expired at %s", when(next.NotAfter))
	}
	return fmt.Errorf("its certificate is not valid before %s", when(next.NotBefore))
}

func valid(c *x509.Certificate, at time.Time) bool {
	return !at.After(c.NotAfter) && !at.Before(c.NotBefore)
}

func when(t time.Time) string { return t.UTC().Format(time.RFC3339) }
