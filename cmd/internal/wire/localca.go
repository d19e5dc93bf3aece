package wire

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/proxy/listen"
)

// Files of the local CA, in the data folder.
const (
	CAFile    = "ca.pem" // its certificate: what clients trust
	caKeyFile = "ca.key" // its private key, sealed under the master key
)

// localCA reads the CA of the data folder, or makes it when there is none.
func localCA(dir string, master envelope.Key, now time.Time) (*listen.LocalCA, error) {
	cert, err := os.ReadFile(filepath.Join(dir, CAFile))
	if errors.Is(err, fs.ErrNotExist) {
		return newLocalCA(dir, master, now)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the local CA: %w", err)
	}
	block, _ := pem.Decode(cert)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("reading the local CA: %s is not a certificate", filepath.Join(dir, CAFile))
	}
	sealed, err := ReadSecretFile(filepath.Join(dir, caKeyFile))
	if err != nil {
		return nil, fmt.Errorf("reading the local CA: %w", err)
	}
	key, err := master.Open(caPlace(), block.Bytes, string(sealed.Expose()))
	if err != nil {
		return nil, fmt.Errorf("reading the local CA: %s %w", filepath.Join(dir, caKeyFile), err)
	}
	defer key.Wipe()
	return listen.ReadLocalCA(block.Bytes, key.Expose())
}

// newLocalCA writes the certificate last: without it there is no CA.
func newLocalCA(dir string, master envelope.Key, now time.Time) (*listen.LocalCA, error) {
	ca, err := listen.NewLocalCA(now)
	if err != nil {
		return nil, err
	}
	key, err := ca.Key()
	if err != nil {
		return nil, fmt.Errorf("encoding the local CA's key: %w", err)
	}
	defer clear(key)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("writing the local CA: %w", err)
	}
	sealed := master.Seal(caPlace(), ca.Certificate(), key)
	if err := replaceFile(filepath.Join(dir, caKeyFile), []byte(sealed), 0o600); err != nil {
		return nil, fmt.Errorf("writing the local CA: %w", err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate()})
	if err := replaceFile(filepath.Join(dir, CAFile), cert, 0o644); err != nil {
		return nil, fmt.Errorf("writing the local CA: %w", err)
	}
	return ca, nil
}

func caPlace() envelope.Place { return envelope.Place{Record: "local-ca", Field: "key", Version: 1} }
