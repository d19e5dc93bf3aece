package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/backup"
)

func backupCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "backup", Usage: "write the whole store, still sealed, to a new file; a proxy may run meanwhile",
		ArgsUsage: "FILE", Action: e.action(backupStore),
	}
}

func restoreCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "restore", Usage: "put a backup into an empty store", ArgsUsage: "FILE", Action: e.action(restoreStore),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "replace", Usage: "give up all that the store holds now", DisableDefaultText: true},
		},
	}
}

func backupStore(e *env, c *cli.Context) (result, error) {
	cfg, err := e.config(c)
	if err != nil {
		return nil, err
	}
	file := e.path(c.Args().First())
	b, err := wire.WriteBackup(c.Context, cfg, e.world(), file)
	if errors.Is(err, fs.ErrExist) {
		return nil, hinted(fmt.Errorf("%s is there already", file), "name a new file: a backup is never written over another")
	}
	if err != nil {
		return nil, explain(err)
	}
	return shownBackup(b, file, "Keep the master key too, and somewhere else: without it, the backup cannot be opened.\n"), nil
}

func restoreStore(e *env, c *cli.Context) (result, error) {
	cfg, err := e.config(c)
	if err != nil {
		return nil, err
	}
	file := e.path(c.Args().First())
	b, err := wire.Restore(c.Context, cfg, file, c.Bool("replace"))
	switch {
	case errors.Is(err, backup.ErrBad):
		return nil, hinted(err, "nothing was changed; take another backup")
	case errors.Is(err, wire.ErrHolds):
		return nil, hinted(err, "nothing was changed; name an empty folder in store.url, or give up what it holds with --replace")
	case err != nil:
		return nil, explain(err)
	}
	return shownBackup(b, file, restoredNext), nil
}

const restoredNext = "Check that it opens under the master key of the config, and that it was not forged: kmproxy audit verify\n" +
	"A kmproxy that is running does not go back to it: it serves what it holds until it is restarted.\n"

// backupShown is a backup that was written or restored.
type backupShown struct {
	File      string        `json:"file"`
	CreatedAt time.Time     `json:"created_at"`
	Revision  keys.Revision `json:"revision"`
	Records   int           `json:"records"`
	KeyID     string        `json:"key_id"` // of the master key that it takes to open it
	next      string
}

func shownBackup(b backup.Backup, file, next string) backupShown {
	seal, _, _ := keys.ReadSeal(b.Store) // who reads it again sees what is wrong with it
	return backupShown{file, b.CreatedAt, b.Store.Revision, len(b.Store.Entries), seal.KeyID, next}
}

func (r backupShown) text(w io.Writer) error {
	if err := record(w, "file", r.File, "written", when(r.CreatedAt), "revision", strconv.FormatUint(uint64(r.Revision), 10),
		"records", strconv.Itoa(r.Records), "sealed under", r.KeyID); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n"+r.next)
	return err
}
