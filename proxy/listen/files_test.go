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
	f, err := listen.NewFiles((&files{err: missing}).load, time.Now)
	if !errors.Is(err, missing) || f != nil {
		t.Errorf("got %v", err)
	}
}

// followed is a pair of files under Follow, in a bubble of synctest.
type followed struct {
	*listen.Files
	pair    *files
	changed int
}

// follow begins with a pair; its files are looked at every second.
func follow(t *testing.T, first tls.Certificate) *followed {
	t.Helper()
	w := &followed{pair: &files{cert: first}}
	var err error
	if w.Files, err = listen.NewFiles(w.pair.load, time.Now); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		w.Follow(ctx, time.Second, func() { w.changed++ })
		close(ended)
	}()
	t.Cleanup(func() { stop(); <-ended })
	return w
}

// put replaces what the files hold, and lets so many seconds pass.
func (w *followed) put(cert tls.Certificate, err error, seconds int) {
	w.pair.set(cert, err)
	time.Sleep(time.Duration(seconds)*time.Second + time.Millisecond)
	synctest.Wait()
}

// inBubble runs a test at the time for which certificates are issued here.
func inBubble(t *testing.T, test func(t *testing.T, ca *listen.LocalCA, at time.Time)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ca, err := listen.NewLocalCA(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		test(t, ca, time.Now())
	})
}

// TestFollow: a good pair is taken over, a bad one is refused and the one before it
// stays, and nothing is said while a pair is being replaced.
func TestFollow(t *testing.T) {
	inBubble(t, func(t *testing.T, ca *listen.LocalCA, at time.Time) {
		first, second := *issue(t, ca, at, "localhost"), *issue(t, ca, at, "localhost")
		w := follow(t, first)
		w.put(first, nil, 10)
		serves(t, w.Files, first)
		if w.changed != 0 || w.Refused() != nil {
			t.Errorf("nothing has changed, and told was %d, %v", w.changed, w.Refused())
		}
		bad := errors.New("it is not the key of the certificate")
		w.put(second, bad, 3)
		serves(t, w.Files, first)
		if w.Refused() != nil {
			t.Errorf("a pair that is being replaced is reported: %v", w.Refused())
		}
		w.put(second, bad, 5)
		if !errors.Is(w.Refused(), bad) {
			t.Errorf("of a bad pair was reported %v", w.Refused())
		}
		w.put(second, nil, 1)
		serves(t, w.Files, second)
		if w.changed != 1 || w.Refused() != nil {
			t.Errorf("of a new pair was reported %d, %v", w.changed, w.Refused())
		}
		longer := second
		longer.Certificate = append(second.Certificate[:1:1], ca.Certificate())
		w.put(longer, nil, 1)
		serves(t, w.Files, longer)
		if w.changed != 2 {
			t.Error("a chain with another intermediate is not taken over")
		}
	})
}

// TestFollowKeepsTheValid: an expired pair, or one that is not valid yet, does not
// replace a valid one; the latter is used when it becomes valid. An expired one is
// replaced by a better one.
func TestFollowKeepsTheValid(t *testing.T) {
	const day = 24 * time.Hour
	inBubble(t, func(t *testing.T, ca *listen.LocalCA, at time.Time) {
		over, older := *issue(t, ca, at.Add(-100*day), "localhost"), *issue(t, ca, at.Add(-200*day), "localhost")
		good, later := *issue(t, ca, at, "localhost"), *issue(t, ca, at.Add(2*time.Hour), "localhost")
		w := follow(t, older)
		w.put(over, nil, 1)
		serves(t, w.Files, over)
		w.put(older, nil, 10)
		serves(t, w.Files, over)
		w.put(good, nil, 1)
		serves(t, w.Files, good)
		w.put(over, nil, 10)
		serves(t, w.Files, good)
		if err := w.Refused(); err == nil || !strings.Contains(err.Error(), "expired at") {
			t.Errorf("of an expired pair was reported %v", err)
		}
		w.put(later, nil, 10)
		serves(t, w.Files, good)
		if err := w.Refused(); err == nil || !strings.Contains(err.Error(), "not valid before") {
			t.Errorf("of a pair that is not valid yet was reported %v", err)
		}
		w.put(later, nil, 3600)
		serves(t, w.Files, later)
		if w.Refused() != nil {
			t.Error("it is in use, and still refused")
		}
	})
}
