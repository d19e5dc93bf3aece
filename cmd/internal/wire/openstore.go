package wire

import (
	"fmt"
	"path/filepath"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

// ErrOwner reports that the store belongs to another user.
var ErrOwner = filestore.ErrOwner

// openBackend opens the store that a config describes. This file alone knows which
// kinds of stores there are; a test checks it.
func openBackend(c config.Config, to Intent) (keys.Backend, error) {
	if to == ToWrite {
		if err := makeFolders(filepath.Dir(c.Store.Dir)); err != nil {
			return nil, fmt.Errorf("making the store's folder: %w", err)
		}
	}
	store, err := filestore.Open(c.Store.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return store, nil
}
