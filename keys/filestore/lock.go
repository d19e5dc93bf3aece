package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"kmproxy/keys/internal/disk"
)

// ErrBusy reports that a commit gave up waiting for the writer before it.
var ErrBusy = errors.New("the store is being written by another process")

// lock makes this commit the only one, in this process and all others, and makes
// the folder if it is not there. The caller must call release.
func (s *Store) lock(ctx context.Context) (release func(), err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := s.lockFile(ctx)
	if err != nil {
		<-s.turn
		return nil, err
	}
	return func() {
		_ = f.Close() // which gives up the lock
		<-s.turn
	}, nil
}

func (s *Store) lockFile(ctx context.Context) (*disk.File, error) {
	if err := makeFolder(s.disk, s.dir); err != nil {
		return nil, err
	}
	if err := s.mayChange(); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(s.patience)
	for wait := time.Millisecond; ; wait = min(2*wait, 16*time.Millisecond) {
		f, err := tryLock(s.disk, s.path(lockName))
		if f != nil || err != nil {
			return f, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%w: %s was not released for %v: see who holds it with fuser(1)", ErrBusy, s.path(lockName), s.patience)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %s: %w", ErrBusy, s.path(lockName), ctx.Err())
		}
	}
}

// tryLock returns nil and no error while somebody else holds the lock. It asks
// instead of waiting in flock, which would outlast the context.
func tryLock(d disk.Disk, path string) (*disk.File, error) {
	_, absent := os.Lstat(path)
	f, err := d.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if errors.Is(absent, os.ErrNotExist) {
		if err := give(f, path); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return nil, nil
	}
	return nil, &os.PathError{Op: "flock", Path: path, Err: err}
}
