package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// CheckFiles looks whether the files that the config names are there and can be
// read, as far as they are not made when they are missing. Mistakes are an
// *Error, with the lines of the file that the config came from. What is in the
// files is not looked at.
func (c Config) CheckFiles() error {
	r := &report{origin: c.origin}
	for _, f := range c.files() {
		if f.path == "" {
			continue
		}
		err := f.check(f.path)
		if f.made && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			r.add(f.key, err.Error(), hintOf(err))
		}
	}
	return r.err()
}

// named is a file or folder that a key names.
type named struct {
	key, path string
	check     func(path string) error
	made      bool // by kmproxy, if it is missing
}

func (c Config) files() []named {
	source := c.MasterKey.Source
	return []named{
		{"tls.cert_file", c.TLS.CertFile, readable, false},
		{"tls.key_file", c.TLS.KeyFile, private, false},
		{"tls.client_ca_file", c.TLS.ClientCAFile, readable, false},
		{"tls.acme.ca_root_file", c.TLS.ACME.CARootFile, readable, false},
		{"upstream.ca_file", c.Upstream.CAFile, readable, false},
		{"upstream.client_cert_file", c.Upstream.ClientCertFile, readable, false},
		{"upstream.client_key_file", c.Upstream.ClientKeyFile, private, false},
		{"store.url", c.Store.Dir, folder, true},
		{"master_key.source", source.Path, private, source.Kind == SourceFile},
	}
}

func readable(path string) error { return opens(path, fs.FileMode.IsRegular, "a file") }

// private is readable for a file that keeps a secret.
func private(path string) error {
	if err := readable(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return cannotRead(path, err)
	}
	return CheckMode(path, info)
}

// openModes are the bits of a mode that a private file must not have: any access for
// others, and writing by the group. Reading by the group is how root lends a file to a
// service, as systemd's LoadCredential and the volumes of Kubernetes do.
const openModes fs.FileMode = 0o027

// ModeError reports a private file whose mode is open to others than its owner.
type ModeError struct {
	path string
	mode fs.FileMode // permission bits
}

// Error names the file and its mode.
func (e *ModeError) Error() string {
	return fmt.Sprintf("%s is open to others (mode %04o)", e.path, e.mode)
}

// Hint is what to do about it.
func (e *ModeError) Hint() string {
	return "chmod 600 it, or 640 if its group must read it; in Kubernetes: defaultMode: 0440"
}

// CheckMode returns a *ModeError if a private file gives others any access, or its
// group more than reading.
func CheckMode(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&openModes != 0 {
		return &ModeError{path, mode}
	}
	return nil
}

func hintOf(err error) string {
	if open, is := errors.AsType[*ModeError](err); is {
		return open.Hint()
	}
	return ""
}

func folder(path string) error { return opens(path, fs.FileMode.IsDir, "a folder") }

func opens(path string, right func(fs.FileMode) bool, what string) error {
	info, err := os.Stat(path)
	if err != nil {
		return cannotRead(path, err)
	}
	if !right(info.Mode()) { // opening a pipe would wait for its other end
		return fmt.Errorf("%s is not %s", path, what)
	}
	f, err := os.Open(path)
	if err != nil {
		return cannotRead(path, err)
	}
	return f.Close()
}

// cannotRead leaves out the name of the system call.
func cannotRead(path string, err error) error {
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		err = bad.Err
	}
	return fmt.Errorf("%s cannot be read: %w", path, err)
}
