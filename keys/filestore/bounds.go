package filestore

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Bounds of what is read. A file beyond them was not written by this package.
const (
	maxHead   = 4 << 10
	maxLine   = 64 << 20 // a commit that needs more rewrites the log, with a line for each entry
	maxLog    = 8 << 30
	maxLedger = 256 << 20
	maxRoom   = 1 << 20 // entries that a log gets room for because its header claims them
)

// openFile opens a regular file for reading. It follows no link in the last part
// of path, and does not wait for the other end of a pipe.
func openFile(path string) (*os.File, os.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = damaged(path, "it is not a regular file")
	}
	if err != nil {
		_ = f.Close() // nothing was written through it
		return nil, nil, err
	}
	return f, info, nil
}

// readBounded returns what a file holds, if that is at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, info, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := within(path, info.Size(), limit); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	return b, within(path, int64(len(b)), limit)
}

func within(path string, size, limit int64) error {
	if size > limit {
		return damaged(path, fmt.Sprintf("it has %d bytes, and %d are the most that it may have", size, limit))
	}
	return nil
}
