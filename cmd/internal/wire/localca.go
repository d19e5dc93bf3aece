package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/proxy/listen"
)

// CAFile is the local CA's certificate in the data folder: what clients trust.
const CAFile = "ca.pem"

// caItem is the store's item that holds the CA: its key must be sealed under the
// master key that seals all else, also while that changes.
const caItem = "local-ca"

// caPlain is the readable part of the item.
type caPlain struct {
	Certificate string `json:"certificate"` // PEM
}

// localCA is the CA that the store holds; it is made when there is none.
func (k *keyring) localCA(ctx context.Context, c config.Config, w World) (*listen.LocalCA, error) {
	if k.ca != nil {
		return k.ca, nil
	}
	if k.live != nil && k.live.Err() != nil {
		return nil, fmt.Errorf("the local CA: %w", k.live.Err()) // it must not be made in another store
	}
	m, err := k.vault.Manager(ctx, c, w)
	if err != nil {
		return nil, err
	}
	ca, err := readLocalCA(ctx, m)
	if errors.Is(err, keys.ErrNotFound) {
		if err = createLocalCA(ctx, m, w.Now()); err == nil || errors.Is(err, keys.ErrExists) {
			ca, err = readLocalCA(ctx, m) // another process may have been faster
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the local CA: %w", err)
	}
	if err := showLocalCA(c.Store.Dir, ca); err != nil {
		return nil, fmt.Errorf("the local CA: %w", err)
	}
	k.ca = ca
	return ca, nil
}

func readLocalCA(ctx context.Context, m *manage.Manager) (*listen.LocalCA, error) {
	item, err := m.Item(ctx, caItem)
	if err != nil {
		return nil, err
	}
	defer item.Secret.Wipe()
	var plain caPlain
	if err := json.Unmarshal(item.Plain, &plain); err != nil {
		return nil, fmt.Errorf("its record is not readable: %w", err)
	}
	block, _ := pem.Decode([]byte(plain.Certificate))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("its record holds no certificate")
	}
	return listen.ReadLocalCA(block.Bytes, item.Secret.Expose())
}

func createLocalCA(ctx context.Context, m *manage.Manager, now time.Time) error {
	ca, err := listen.NewLocalCA(now)
	if err != nil {
		return err
	}
	key, err := ca.Key()
	if err != nil {
		return fmt.Errorf("encoding its key: %w", err)
	}
	secret := sensitive.New(key)
	defer secret.Wipe()
	plain, err := json.Marshal(caPlain{string(certificatePEM(ca))})
	if err != nil {
		return fmt.Errorf("encoding its certificate: %w", err)
	}
	return m.CreateItem(ctx, keys.Actor{Name: "kmproxy"}, caItem, manage.Item{Plain: plain, Secret: secret})
}

// showLocalCA writes the certificate for clients, unless it is there.
func showLocalCA(dir string, ca *listen.LocalCA) error {
	path, want := filepath.Join(dir, CAFile), certificatePEM(ca)
	switch same, err := holds(path, want); {
	case same:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return replaceFile(path, want, 0o644)
}

// holds reports whether a file holds content and nothing else. It reads no more than
// that takes.
func holds(path string, content []byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	there, err := io.ReadAll(io.LimitReader(f, int64(len(content))+1))
	return err == nil && bytes.Equal(there, content), err
}

func certificatePEM(ca *listen.LocalCA) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate()})
}
