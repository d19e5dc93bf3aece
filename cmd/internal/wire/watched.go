package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/listen"
	"kmproxy/proxy/status"
)

// watched is a certificate, or some CAs, whose dates are told.
type watched struct {
	name      string              // in metrics
	key       string              // of the config
	files     *listen.Files       // of a pair; nil: CAs
	list      []*x509.Certificate // CAs, the first to expire first
	hostnames []string            // that the pair should be for
}

// watch reads every pair and every file of CAs that a config names.
func watch(c config.Config, w World) (all []watched, err error) {
	pairs := []struct {
		name  string
		files pairFiles
		names []string
	}{{"listen", listenPair(c), wantedNames(c)}, {"upstream_client", upstreamPair(c), nil}}
	for _, p := range pairs {
		if p.files.certFile == "" {
			continue
		}
		files, err := listen.NewFiles(p.files.load, w.Now)
		if err != nil {
			return nil, err
		}
		all = append(all, watched{name: p.name, key: p.files.certKey, files: files, hostnames: p.names})
	}
	for _, f := range []struct{ name, key, file string }{
		{"client_ca", "tls.client_ca_file", c.TLS.ClientCAFile},
		{"upstream_ca", "upstream.ca_file", c.Upstream.CAFile},
		{"acme_ca", "tls.acme.ca_root_file", c.TLS.ACME.CARootFile},
	} {
		list, err := authorities(f.key, f.file)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			all = append(all, watched{name: f.name, key: f.key, list: list})
		}
	}
	return all, nil
}

// wantedNames are tls.hostnames; none if they are the default, which says nothing about
// files.
func wantedNames(c config.Config) []string {
	if slices.Equal(c.TLS.Hostnames, config.Default("/").TLS.Hostnames) {
		return nil
	}
	return c.TLS.Hostnames
}

// named is the pair or the CAs of a name; the zero value if there are none.
func named(all []watched, name string) watched {
	for _, w := range all {
		if w.name == name {
			return w
		}
	}
	return watched{}
}

// follow follows the files of every pair until ctx ends.
func (l *lasting) follow(ctx context.Context, all []watched) {
	for _, w := range all {
		if w.files != nil {
			go w.files.Follow(ctx, lookAgain, func() {
				l.log.Info("the certificate files changed and are in use", "key", w.key)
			})
		}
	}
}

// certificates are those in use, first the one whose end counts.
func (w watched) certificates() []*x509.Certificate {
	if w.files == nil {
		return w.list
	}
	pair := w.pair()
	return []*x509.Certificate{pair.Leaf}
}

func (w watched) pair() *tls.Certificate {
	pair, _ := w.files.Certificate(nil) // files have one always
	return pair
}

func (w watched) notes(now time.Time) (notes []string) {
	for _, c := range w.certificates() {
		what := w.key + ": the certificate"
		if w.files == nil {
			what += fmt.Sprintf(" of the CA %q", c.Subject.CommonName)
		}
		if note := listen.Trouble(what, c, now); note != "" {
			notes = append(notes, note)
		}
	}
	if w.files == nil {
		return notes
	}
	if names := listen.Uncovered(w.pair().Leaf, w.hostnames); len(names) > 0 {
		notes = append(notes, w.key+": the certificate is not for "+strings.Join(names, ", ")+", which tls.hostnames names")
	}
	if listen.Disordered(w.pair()) {
		notes = append(notes, w.key+": the chain is out of order: a certificate in it was not issued by the next")
	}
	if err := w.files.Refused(); err != nil {
		notes = append(notes, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return notes
}

func notesOf(all []watched, now time.Time) []string {
	notes := []string{}
	for _, w := range all {
		notes = append(notes, w.notes(now)...)
	}
	return notes
}

// tellCertificates logs what is wrong with certificates, once when it begins and once
// when it ends, until ctx ends.
func (g *Gateway) tellCertificates(ctx context.Context) {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	var told []string
	for {
		told = g.tellNotes(told)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (g *Gateway) tellNotes(told []string) []string {
	notes := notesOf(g.current.Load().watched, g.world.Now())
	for _, n := range notes {
		if !slices.Contains(told, n) {
			g.log.Warn("trouble with a certificate", "trouble", n)
		}
	}
	for _, n := range told {
		if !slices.Contains(notes, n) {
			g.log.Info("trouble with a certificate is over", "trouble", n)
		}
	}
	return notes
}

// certificateGauges are the ends of certificates, and which pairs on disk are not used.
func (g *Gateway) certificateGauges() (out []status.Gauge) {
	for name, end := range g.ends() {
		out = append(out, status.Gauge{Name: "kmproxy_certificate_expiry_seconds", Help: "Unix time of a certificate's end.",
			Label: fmt.Sprintf("name=%q", name), Value: float64(end.Unix())})
	}
	slices.SortFunc(out, func(a, b status.Gauge) int { return strings.Compare(a.Label, b.Label) })
	for _, w := range g.current.Load().watched {
		if w.files == nil {
			continue
		}
		refused := 0.0
		if w.files.Refused() != nil {
			refused = 1
		}
		out = append(out, status.Gauge{Name: "kmproxy_certificate_files_refused", Help: "1 while the pair of certificate files on disk cannot be used.",
			Label: fmt.Sprintf("name=%q", w.name), Value: refused})
	}
	return out
}

// ends are the ends of the certificates in use, by name.
func (g *Gateway) ends() map[string]time.Time {
	s, ends := g.current.Load(), map[string]time.Time{}
	for _, w := range s.watched {
		ends[w.name] = w.certificates()[0].NotAfter
	}
	switch s.config.TLS.Mode {
	case config.TLSACME:
		for name, end := range g.acme.Ends() {
			ends[name] = end
		}
	case config.TLSLocal:
		if pair, err := s.certificates(&tls.ClientHelloInfo{}); err == nil && pair.Leaf != nil {
			ends["listen"] = pair.Leaf.NotAfter
		}
	}
	return ends
}
