package replay

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxSlots is how many processes may keep files in one folder at once.
const maxSlots = 64

const suffix = ".claims"

// slot is a process's place in the folder: the number that its files begin with,
// and a lock that ends with the process.
type slot struct {
	number int
	lock   *os.File
}

// takeSlot makes the folder if it is not there, but never the one above it.
func takeSlot(dir string) (*slot, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	for n := range maxSlots {
		lock, err := tryLock(lockPath(dir, n))
		if err != nil {
			return nil, err
		}
		if lock != nil {
			return &slot{n, lock}, nil
		}
	}
	return nil, fmt.Errorf("%d processes use %s already", maxSlots, dir)
}

func lockPath(dir string, n int) string { return filepath.Join(dir, strconv.Itoa(n)+".lock") }

// isThere reports whether the lock is still the one that others would try.
func (s *slot) isThere() bool {
	mine, err := s.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(s.lock.Name())
	return err == nil && os.SameFile(mine, there)
}

// tryLock returns nil and no error while another process has the lock.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
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

// fileName has the slot and a number that grows with each file.
func fileName(slot int, serial int64) string { return fmt.Sprintf("%d-%016x%s", slot, serial, suffix) }

// slotOf is which slot a file was made in.
func slotOf(path string) (n int, ok bool) {
	name, isClaims := strings.CutSuffix(filepath.Base(path), suffix)
	number, _, found := strings.Cut(name, "-")
	n, err := strconv.Atoi(number)
	return n, isClaims && found && err == nil && n >= 0 && n < maxSlots
}
