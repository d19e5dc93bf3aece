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
			r.add(f.key, err.Error(), "")
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
		{"tls.key_file", c.TLS.KeyFile, readable, false},
		{"tls.client_ca_file", c.TLS.ClientCAFile, readable, false},
		{"tls.acme.ca_root_file", c.TLS.ACME.CARootFile, readable, false},
		{"upstream.ca_file", c.Upstream.CAFile, readable, false},
		{"upstream.client_cert_file", c.Upstream.ClientCertFile, readable, false},
		{"upstream.client_key_file", c.Upstream.ClientKeyFile, readable, false},
		{"store.url", c.Store.Dir, folder, true},
		{"master_key.source", source.Path, readable, source.Kind == SourceFile},
	}
}

func readable(path string) error { return opens(path, fs.FileMode.IsRegular, "a file") }

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
