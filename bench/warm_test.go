// Package bench measures whole requests against a proxy in a process of its own,
// so that only the proxy's CPU time counts.
package bench_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
)

const (
	perRound = 400
)

// BenchmarkWarmRequest is the CPU time of one encrypted request with 1 KiB of
// plaintext over a warm TLS connection, beside the RSA operation that it cannot
// do without: medians of five rounds, both in the same round and process.
func BenchmarkWarmRequest(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, proxytest.Answer)
	}))
	b.Cleanup(upstream.Close)
	c := startChild(b, upstream.URL)
	who := c.caller(b)
	bodies := prepare(b, who)
	send(b, who, bodies) // warm: connections, keys, pools

	var request, operation, beside []float64
	for range rounds {
		before := c.micros(b, "cpu")
		send(b, who, bodies)
		per := (c.micros(b, "cpu") - before) / perRound
		op := c.micros(b, "rsa") / rsaRounds
		request, operation, beside = append(request, per), append(operation, op), append(beside, per-op)
	}
	tell(b, "whole request", request)
	tell(b, "one RSA private operation", operation)
	tell(b, "what kmproxy costs beside it", beside)
	b.ReportMetric(median(request), "cpu-µs/request")
	b.ReportMetric(median(beside), "beside-rsa-µs/request")
	b.ReportMetric(median(request)/median(operation), "×rsa")
	b.ReportMetric(0, "ns/op")
	profiled(b, c, who, bodies)
}

// caller is a client of the child, with four connections kept open.
func (c *child) caller(b *testing.B) *caller.Caller {
	b.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(c.CA)) {
		b.Fatal("the child's CA is not readable")
	}
	pub, err := jwk.ParsePublicPEM([]byte(c.ServerPEM))
	if err != nil {
		b.Fatal(err)
	}
	server, err := jwk.NewPublic(pub, alg.All())
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 4, MaxConnsPerHost: 4, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	return &caller.Caller{URL: c.URL, ASPID: keys.ASPID(c.ASPID), AccessKey: keys.AccessKey(c.AccessKey),
		Secret: sensitive.New([]byte(c.Secret)), KeyID: keys.KeyID(c.KeyID), Server: server,
		HTTP: &http.Client{Transport: transport}, Now: time.Now}
}

// prepare seals the bodies before anything is measured: each with its own
// content key, as real clients do.
func prepare(b *testing.B, who *caller.Caller) [][]byte {
	b.Helper()
	plain := fmt.Appendf(nil, `{"userId":1,"filler":"%s"}`, bytes.Repeat([]byte("x"), 1000))
	out := make([][]byte, perRound)
	for i := range out {
		var err error
		out[i], err = kona.Wrap(nil, func(dst []byte) ([]byte, error) {
			return jwe.Seal(dst, who.Server, alg.Preferred(), plain)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return out
}

// send makes one call a body, four at a time.
func send(b *testing.B, who *caller.Caller, bodies [][]byte) {
	b.Helper()
	const width = 4
	failed := make(chan error, width)
	for part := range slices.Chunk(bodies, (len(bodies)+width-1)/width) {
		go func() {
			for _, body := range part {
				if err := one(b.Context(), who, body); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range width {
		if err := <-failed; err != nil {
			b.Fatal(err)
		}
	}
}

// one sends a body and does not open the answer: the client's work is not what
// is measured, and it would take a core from the proxy.
func one(ctx context.Context, who *caller.Caller, body []byte) error {
	x, err := who.Send(ctx, proxytest.ARSPath, body)
	if x.Status != http.StatusOK {
		return fmt.Errorf("status %d: %s: %w", x.Status, x.AnswerBody, err)
	}
	return nil
}

func tell(b *testing.B, what string, values []float64) {
	b.Logf("%-32s median %6.0f µs of CPU (min %.0f, max %.0f, %d rounds)", what, median(values), slices.Min(values), slices.Max(values), len(values))
}

// profiled prints where the proxy's time goes, in a round that is not counted.
func profiled(b *testing.B, c *child, who *caller.Caller, bodies [][]byte) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "cpu.prof")
	c.ask(b, "profile "+file)
	send(b, who, bodies)
	send(b, who, bodies)
	c.ask(b, "profile")
	out, err := exec.Command("go", "tool", "pprof", "-top", "-cum", "-nodecount=45", file).CombinedOutput()
	if err != nil {
		b.Fatalf("no profile: %v\n%s", err, out)
	}
	fmt.Printf("\nwhere the proxy's time goes, by cumulated time:\n%s", out)
}
