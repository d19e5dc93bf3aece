package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kmproxy/cmd/internal/config"
	"kmproxy/crypto/sensitive"
)

// ReadSecretFile reads a file that gives others no access and its group no more than
// reading; else the error is a *config.ModeError.
func ReadSecretFile(path string) (sensitive.Bytes, error) {
	f, err := os.Open(path)
	if err != nil {
		return sensitive.Bytes{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return sensitive.Bytes{}, err
	}
	if err := config.CheckMode(path, info); err != nil {
		return sensitive.Bytes{}, err
	}
	room := make([]byte, maxSecretBytes+1) // one that grew would leave copies behind
	defer clear(room)
	n, err := io.ReadFull(f, room)
	switch {
	case err == nil:
		return sensitive.Bytes{}, fmt.Errorf("%s is longer than %d bytes", path, maxSecretBytes)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return sensitive.New(bytes.Clone(room[:n])), nil
	}
	return sensitive.Bytes{}, err
}

// ReadPublicFile reads a file of public keys or certificates, of 4 MiB at the most.
func ReadPublicFile(path string) ([]byte, error) { return config.ReadFile(path, maxPublicBytes) }

// maxPublicBytes bounds what is read of a file that holds no secret: the certificates
// of all CAs that systems trust have a quarter of a MiB.
const maxPublicBytes = 4 << 20

// maxSecretBytes bounds what is read of a private file.
const maxSecretBytes = 64 << 10

// CreateSecretFile writes a new file with mode 0600, whole or not at all, and
// durably. If the file is there already the error is fs.ErrExist and the file is
// untouched.
func CreateSecretFile(path string, content sensitive.Bytes) error {
	return createFile(path, func(to *os.File) error {
		_, err := to.Write(content.Expose())
		return err
	})
}

// createFile is CreateSecretFile for what is written piece by piece.
func createFile(path string, write func(*os.File) error) error {
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
	err = errors.Join(err, giveTo(filepath.Dir(path), temp.Chown))
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
