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

// Files is a certificate that is kept in files by somebody else. It follows them.
type Files struct {
	load    func() (tls.Certificate, error)
	current atomic.Pointer[tls.Certificate]
}

// NewFiles takes a function that reads the pair of files; it is called at once,
// and again by Follow.
func NewFiles(load func() (tls.Certificate, error)) (*Files, error) {
	f := &Files{load: load}
	if _, err := f.reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Certificate implements Certificates.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.current.Load(), nil
}

// Follow reads the files again every so often until ctx ends. A pair that cannot
// be used is reported and the one before it stays; so is a pair that came to use.
func (f *Files) Follow(ctx context.Context, every time.Duration, report func(changed bool, err error)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if changed, err := f.reload(); changed || err != nil {
				report(changed, err)
			}
		}
	}
}

func (f *Files) reload() (changed bool, err error) {
	next, err := f.load()
	if err != nil {
		return false, fmt.Errorf("reading the certificate: %w", err)
	}
	if now := f.current.Load(); now != nil && slices.EqualFunc(now.Certificate, next.Certificate, bytes.Equal) {
		return false, nil // the whole chain: an intermediate that was forgotten is a change
	}
	f.current.Store(&next)
	return true, nil
}
