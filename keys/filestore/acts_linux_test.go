package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

// useReadOnly wants a folder that cannot be written to be read all the same.
func useReadOnly(ctx context.Context, s *filestore.Store) error {
	runtime.LockOSThread() // capabilities are those of one thread
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &make([]unix.CapUserData, 2)[0]); err != nil {
		return fmt.Errorf("giving up what root may do: %w", err)
	}
	snap, err := s.Load(ctx)
	if err != nil || snap.Revision != 1 {
		return fmt.Errorf("load gave revision %d and %w", snap.Revision, err)
	}
	for _, change := range []keys.Change{set("a", `2`), erase("a", `2`)} {
		if err := refused(ctx, s, os.ErrPermission, change); err != nil {
			return err
		}
	}
	return nil
}

// useFullDisk bounds the size of files, so that a write ends half way as it does
// when the disk is full.
func useFullDisk(ctx context.Context, s *filestore.Store) error {
	info, err := os.Stat(filepath.Join(os.Getenv(dirEnv), "log.jsonl"))
	if err != nil {
		return err
	}
	if err := boundFiles(uint64(info.Size()) + 50); err != nil {
		return err
	}
	for _, change := range []keys.Change{
		set("b", `"`+strings.Repeat("y", 4000)+`"`), // half of the line fits
		erase("b", `"`+strings.Repeat("y", 4000)+`"`),
	} {
		if err := refused(ctx, s, unix.EFBIG, change); err != nil {
			return err
		}
	}
	return nil
}

// useRoomForLog leaves room for a log without entries, but not for its head.
func useRoomForLog(ctx context.Context, s *filestore.Store) error {
	if err := boundFiles(200); err != nil {
		return err
	}
	return refused(ctx, s, unix.EFBIG, del("a"))
}

func boundFiles(bytes uint64) error {
	signal.Ignore(unix.SIGXFSZ)
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: bytes})
}

// useFewFiles tries commits while the process may open one more file each time.
func useFewFiles(ctx context.Context, s *filestore.Store) error {
	for _, change := range []keys.Change{set("a", `2`), erase("a", `2`)} {
		failures := 0
		for files := uint64(3); files < 100; files++ {
			err := withFewFiles(ctx, s, files, change)
			if err == nil {
				break
			}
			if failures++; !errors.Is(err, unix.EMFILE) {
				return err
			}
		}
		if failures < 4 {
			return fmt.Errorf("only %d files failed to open", failures)
		}
	}
	return nil
}

// withFewFiles wants a commit to succeed, or to fail and leave the state before
// or after it.
func withFewFiles(ctx context.Context, s *filestore.Store, files uint64, change keys.Change) error {
	before, err := s.Load(ctx)
	if err != nil {
		return err
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	few := unix.Rlimit{Cur: files, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		return err
	}
	_, committed := s.Commit(ctx, before.Revision, change)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	after, err := s.Load(ctx)
	if err != nil || after.Revision > before.Revision+1 || committed == nil && after.Revision == before.Revision {
		return fmt.Errorf("from revision %d to %d with %v and %w", before.Revision, after.Revision, committed, err)
	}
	return committed
}

// refused wants a commit to fail for want, to name a path, and to change nothing.
func refused(ctx context.Context, s *filestore.Store, want error, change keys.Change) error {
	before, err := s.Load(ctx)
	if err != nil {
		return err
	}
	_, err = s.Commit(ctx, before.Revision, change)
	if !errors.Is(err, want) || !strings.Contains(err.Error(), os.Getenv(dirEnv)+"/") {
		return fmt.Errorf("commit gave %v, want %w and the path", err, want)
	}
	after, err := s.Load(ctx)
	if err != nil || after.Revision != before.Revision {
		return fmt.Errorf("load then gave revision %d and %w", after.Revision, err)
	}
	return nil
}
