package wire_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/envelope"
)

// TestLentMasterKey: a new store takes the master key that is lent to it, in a
// folder where nobody can make a file.
func TestLentMasterKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if err := wire.CreateSecretFile(path, envelope.NewKeyFile()); err != nil {
		t.Fatal(err)
	}
	lent, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lent.Close() }()
	c := config.Default(t.TempDir())
	c.MasterKey.Source.Path = fmt.Sprintf("/proc/self/fd/%d", lent.Fd()) // root cannot make files there either
	manager(t, c)
	c.MasterKey.Source.Path = path
	if vault, err := wire.OpenVault(t.Context(), c, world, wire.ToWrite); err != nil || vault.Store == nil {
		t.Errorf("the store is not sealed under it: %v", err)
	}
}
