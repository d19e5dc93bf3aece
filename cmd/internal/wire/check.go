package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys/ring"
)

// CheckFiles reads the certificates, private keys and CAs that a config names, as a
// start does, and returns what will be trouble though a start would serve. Mistakes are
// a *config.Error.
func CheckFiles(c config.Config, w World) (warnings []string, err error) {
	if err := c.CheckFiles(); err != nil {
		return nil, err
	}
	watched, err := watch(c, w)
	if bad, is := errors.AsType[*fileError](err); is {
		return nil, c.Mistake(bad.key, bad.text(), bad.Hint())
	} else if err != nil {
		return nil, err
	}
	return notesOf(watched, w.Now()), nil
}

// CheckStore opens the store and its keys as a start does, and changes nothing. A store
// that is not there yet is no mistake: a start makes it.
func CheckStore(ctx context.Context, c config.Config, w World) error {
	entries, err := os.ReadDir(c.Store.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("opening the store: %w", err)
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "log.jsonl" }) {
		return checkSource(c.MasterKey.Source, w)
	}
	vault, err := OpenVault(ctx, c, w, ToRead)
	if err != nil {
		return err
	}
	_, err = ring.Open(ctx, vault.Store, vault.Master)
	return err
}

// checkSource reads what a new store would be sealed under. A key file may be missing.
func checkSource(s config.Source, w World) error {
	if s.Kind == config.SourceFile {
		if _, err := keyFile(s.Path, false); !errors.Is(err, ErrNoMasterKey) {
			return err
		}
		return nil
	}
	phrase, err := passphrase(s, w)
	if err != nil {
		return fmt.Errorf("master_key.source %s: %w", s, err)
	}
	phrase.Wipe()
	return nil
}
