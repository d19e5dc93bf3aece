package listen

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// replaceTime is how long the files may not fit each other before it is trouble: one
// is replaced before the other.
const replaceTime = 5 * time.Second

// Files is a certificate and its private key that are kept in files by another
// program. It follows them, and is safe for concurrent use.
type Files struct {
	load    func() (tls.Certificate, error)
	now     func() time.Time
	current atomic.Pointer[tls.Certificate]
	refused atomic.Pointer[refusal] // nil: what the files hold is in use
}

// refusal is why what the files hold is not in use, and since when.
type refusal struct {
	since time.Time
	err   error
}

// NewFiles takes a function that reads the pair of files, with its Leaf; it is called
// at once, and again by Follow. A pair that has expired or is not valid yet is
// accepted, as there is no other.
func NewFiles(load func() (tls.Certificate, error), now func() time.Time) (*Files, error) {
	pair, err := load()
	if err != nil {
		return nil, err
	}
	f := &Files{load: load, now: now}
	f.current.Store(&pair)
	return f, nil
}

// Certificate implements Certificates.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.current.Load(), nil
}

// Refused says why the pair that the files hold is not in use; nil: it is, or the
// files are just being replaced.
func (f *Files) Refused() error {
	r := f.refused.Load()
	if r == nil || f.now().Before(r.since.Add(replaceTime)) {
		return nil
	}
	return r.err
}

// Follow reads the files again every so often until ctx ends, and calls changed after
// a pair came to use. A pair that cannot be used, or that is not valid while the one
// in use is, is refused: the one in use stays.
func (f *Files) Follow(ctx context.Context, every time.Duration, changed func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if f.reload() {
				changed()
			}
		}
	}
}

func (f *Files) reload() (changed bool) {
	next, err := f.load()
	now := f.current.Load()
	if err == nil && slices.EqualFunc(now.Certificate, next.Certificate, bytes.Equal) {
		f.refused.Store(nil)
		return false // the whole chain: an intermediate that was forgotten is a change
	}
	if err == nil {
		err = replaces(next.Leaf, now.Leaf, f.now())
	}
	if err != nil {
		f.refuse(fmt.Errorf("the certificate files cannot be used, and the certificate before them stays in use: %w", err))
		return false
	}
	f.current.Store(&next)
	f.refused.Store(nil)
	return true
}

// refuse keeps the time when the trouble began, whatever it becomes.
func (f *Files) refuse(err error) {
	since := f.now()
	if before := f.refused.Load(); before != nil {
		since = before.since
	}
	f.refused.Store(&refusal{since, err})
}
