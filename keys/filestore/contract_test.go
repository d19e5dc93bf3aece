package filestore_test

import (
	"path/filepath"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/storetest"
)

func TestContract(t *testing.T) {
	storetest.RunShared(t, func(t *testing.T) func() keys.Backend {
		dir := filepath.Join(t.TempDir(), "store")
		return func() keys.Backend { return open(t, dir) }
	})
}
