package listen_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/proxy/listen"
)

// files is a pair of files as load sees it.
type files struct {
	mu   sync.Mutex
	cert tls.Certificate
	err  error
}

func (f *files) load() (tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cert, f.err
}

func (f *files) set(cert tls.Certificate, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cert, f.err = cert, err
}

// reports is what Follow told.
type reports struct {
	mu      sync.Mutex
	changed int
	failed  []error
}

func (r *reports) so() (changed int, failed []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed, r.failed
}

func (r *reports) add(changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if changed {
		r.changed++
	}
	if err != nil {
		r.failed = append(r.failed, err)
	}
}

func serves(t *testing.T, f *listen.Files, want tls.Certificate) {
	t.Helper()
	got, err := f.Certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Certificate) != len(want.Certificate) || string(got.Certificate[0]) != string(want.Certificate[0]) {
		t.Error("another certificate is served")
	}
}

func TestFilesAtStart(t *testing.T) {
	missing := errors.New("no such file")
	f, err := listen.NewFiles((&files{err: missing}).load)
	if !errors.Is(err, missing) || f != nil || !strings.Contains(err.Error(), "reading the certificate") {
		t.Errorf("got %v", err)
	}
}

// TestFollow: a good pair is taken over, a bad one is reported and the one before
// it stays, and nothing is told of what has not changed.
func TestFollow(t *testing.T) {
	ca, _ := newCA(t, start)
	first, second := *issue(t, ca, start, "localhost"), *issue(t, ca, start, "localhost")
	first.Leaf, second.Leaf = nil, nil // not every loader fills it in
	synctest.Test(t, func(t *testing.T) {
		pair, told := &files{cert: first}, &reports{}
		f, err := listen.NewFiles(pair.load)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			f.Follow(ctx, time.Minute, told.add)
			close(ended)
		}()
		tick := func() {
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		synctest.Wait()
		tick()
		serves(t, f, first)
		if changed, failed := told.so(); changed != 0 || len(failed) != 0 {
			t.Errorf("nothing has changed, and told was %d, %v", changed, failed)
		}

		bad := errors.New("private key does not match public key")
		pair.set(second, bad)
		tick()
		serves(t, f, first)
		if changed, failed := told.so(); changed != 0 || len(failed) != 1 || !errors.Is(failed[0], bad) {
			t.Errorf("of a bad pair was told %d, %v", changed, failed)
		}

		pair.set(second, nil)
		tick()
		serves(t, f, second)
		if changed, failed := told.so(); changed != 1 || len(failed) != 1 {
			t.Errorf("of a new pair was told %d, %v", changed, failed)
		}

		longer := second
		longer.Certificate = append(second.Certificate[:1:1], ca.Certificate())
		pair.set(longer, nil)
		tick()
		serves(t, f, longer)
		if changed, _ := told.so(); changed != 2 {
			t.Error("a chain with another intermediate is not taken over")
		}
		stop()
		<-ended
	})
}
