package listen_test

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// TestReload: open connections keep working while the certificate changes; later
// connections get the new one, and none gets a bad one.
func TestReload(t *testing.T) {
	first, second := selfSigned(t), selfSigned(t)
	pair := &files{cert: *first}
	var ahead atomic.Int64 // of the clock
	source, err := listen.NewFiles(pair.load, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	if err != nil {
		t.Fatal(err)
	}
	var changed atomic.Bool
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { source.Follow(ctx, time.Millisecond, func() { changed.Store(true) }) })
	defer following.Wait()
	defer stop()
	e := serve(t, ok, func(c *listen.Config) { c.Certificates = source.Certificate })
	served := func() *tls.Conn {
		conn, err := e.dial(t, func(c *tls.Config) { c.InsecureSkipVerify = true }) // which certificate it is, is looked at
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	isServed := func(want *tls.Certificate) bool {
		return served().ConnectionState().PeerCertificates[0].Equal(want.Leaf)
	}
	open := served()
	goesOn := func(when string) {
		if _, err := roundTrip(open, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Errorf("an open connection %s: %v", when, err)
		}
	}
	goesOn("at first")
	pair.set(*second, errors.New("private key does not match public key"))
	soon(t, "a bad pair is reported", func() bool { ahead.Add(int64(time.Second)); return source.Refused() != nil })
	if !isServed(first) {
		t.Error("a bad pair replaced the good one")
	}
	goesOn("after a bad pair")
	pair.set(*second, nil)
	soon(t, "a new pair is reported", changed.Load)
	if !isServed(second) {
		t.Error("the new certificate is not served")
	}
	goesOn("after a new pair")
}

func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
