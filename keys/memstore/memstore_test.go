package memstore_test

import (
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
	"kmproxy/keys/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) keys.Store { return memstore.New() })
}
