package memstore_test

import (
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
	"kmproxy/keys/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) keys.Backend { return memstore.New() })
}

func TestLimitedContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) keys.Backend { return memstore.Limited(keys.Limits{Changes: 20, Bytes: 2000}) })
}
