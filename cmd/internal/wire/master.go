package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kmproxy/cmd/internal/config"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// ErrNoMasterKey reports that a store has something in it and that the key which
// seals it is not to be found. No other key is made then.
var ErrNoMasterKey = errors.New("the master key is missing")

// masterKey reads the key that a source names. fresh says that the store holds
// nothing and may be sealed under a new key.
func masterKey(s config.Source, w World, kdf *envelope.KDF, fresh bool) (envelope.Key, error) {
	if s.Kind == config.SourceFile {
		return keyFile(s.Path, fresh)
	}
	if kdf == nil {
		return envelope.Key{}, fmt.Errorf("master_key.source %s: the store is sealed under a key file, not a passphrase", s)
	}
	phrase, err := passphrase(s, w)
	if err != nil {
		return envelope.Key{}, fmt.Errorf("master_key.source %s: %w", s, err)
	}
	defer phrase.Wipe()
	key, err := kdf.Derive(phrase)
	if err != nil {
		return envelope.Key{}, fmt.Errorf("master_key.source %s: %w", s, err)
	}
	return key, nil
}

// keyFile reads a key file. If it is not there and the store holds nothing it is
// made; a file that is there may lie where nothing can be made, as what systemd or
// Kubernetes lends.
func keyFile(path string, fresh bool) (envelope.Key, error) {
	content, err := ReadSecretFile(path)
	if fresh && errors.Is(err, fs.ErrNotExist) {
		if err := newKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return envelope.Key{}, fmt.Errorf("making the master key file: %w", err)
		}
		content, err = ReadSecretFile(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return envelope.Key{}, fmt.Errorf("%w: %w", ErrNoMasterKey, err)
	}
	if err != nil {
		return envelope.Key{}, fmt.Errorf("reading the master key: %w", err)
	}
	defer content.Wipe()
	key, err := envelope.FromKeyFile(sensitive.New(bytes.TrimPrefix(content.Expose(), []byte("\xef\xbb\xbf"))))
	if err != nil {
		return envelope.Key{}, fmt.Errorf("reading the master key from %s: %w", path, err)
	}
	return key, nil
}

func newKeyFile(path string) error {
	if err := makeFolders(filepath.Dir(path)); err != nil {
		return err
	}
	content := envelope.NewKeyFile()
	defer content.Wipe()
	return createFile(path, func(to *os.File) error {
		_, err := to.Write(content.Expose())
		return errors.Join(err, giveTo(filepath.Dir(path), to.Chown))
	})
}

// passphrase reads a passphrase without the line's end that an editor leaves.
func passphrase(s config.Source, w World) (sensitive.Bytes, error) {
	if s.Kind == config.SourcePassphraseEnv {
		value := w.Getenv(s.Name)
		if value == "" {
			return sensitive.Bytes{}, errors.New("the variable is not set")
		}
		return sensitive.New([]byte(value)), nil
	}
	content, err := ReadSecretFile(s.Path)
	if err != nil {
		return sensitive.Bytes{}, err
	}
	defer content.Wipe()
	return sensitive.New(bytes.Clone(bytes.TrimRight(content.Expose(), "\r\n"))), nil
}
