package wire

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"kmproxy/crypto/sensitive"
)

// ReadSecretFile reads a file that nobody but its owner may read.
func ReadSecretFile(path string) (sensitive.Bytes, error) {
	info, err := os.Stat(path)
	if err != nil {
		return sensitive.Bytes{}, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && !lent(info) {
		return sensitive.Bytes{}, fmt.Errorf("%s is open to others (mode %04o): chmod 600 it", path, mode)
	}
	content, err := os.ReadFile(path)
	return sensitive.New(content), err
}

// lent tells whether root gave us a file through our group, to read and no more:
// so do systemd's LoadCredential and the volumes of Kubernetes, for a service that
// is nobody's user.
func lent(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0 && os.Getuid() != 0 && info.Mode().Perm()&^0o440 == 0
}

// CreateSecretFile writes a new file with mode 0600, whole or not at all, and
// durably. If the file is there already the error is fs.ErrExist and the file is
// untouched.
func CreateSecretFile(path string, content sensitive.Bytes) error {
	return createFile(path, func(to io.Writer) error {
		_, err := to.Write(content.Expose())
		return err
	})
}

// createFile is CreateSecretFile for what is written piece by piece.
func createFile(path string, write func(io.Writer) error) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // it is linked by then, or not wanted
	err = write(temp)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// replaceFile writes a file whole or not at all, over what is there.
func replaceFile(path string, content []byte, mode fs.FileMode) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // it is renamed by then, or not wanted
	_, err = temp.Write(content)
	if err := errors.Join(err, temp.Chmod(mode), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
