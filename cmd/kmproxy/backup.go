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
		Name: "restore", Usage: "put a backup into an empty store, or on top of what a store holds", ArgsUsage: "FILE", Action: e.action(restoreStore),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "replace", Usage: "make every record what it is in the backup, by one audited change that running proxies follow; takes the master key", DisableDefaultText: true},
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
	done, err := wire.Restore(c.Context, cfg, e.world(), actor(), file, c.Bool("replace"))
	switch {
	case errors.Is(err, backup.ErrBad):
		return nil, hinted(err, "nothing was changed; take another backup")
	case errors.Is(err, wire.ErrHolds):
		return nil, hinted(err, "nothing was changed; name an empty folder in store.url, or put the backup on top of what it holds with --replace")
	case err != nil:
		return nil, explain(err)
	}
	shown := shownBackup(done.Backup, file, restoredNext(done))
	shown.OnTop = &done.OnTop
	if done.Apart != nil {
		shown.Apart = done.Apart.Error()
	}
	return shown, nil
}

const (
	toldOnTop = "It is a change on top of what the store held, and the audit record names it: a kmproxy that is running follows it.\n" +
		"Look at the whole: kmproxy audit verify\n"
	toldAnew = "Check that it opens under the master key of the config, and that it was not forged: kmproxy audit verify\n" +
		"A kmproxy that is running follows it only if it held this backup's content or an earlier one of the same store;\n" +
		"else it goes on with the keys that it holds until it is restarted. /readyz says so.\n"
	toldApart = "It could not be put on top of what the store held, and has taken its place: %v.\n" +
		"A kmproxy that is running goes on with the keys that it holds until it is restarted: restart it.\n" +
		"Check that it opens under the master key of the config, and that it was not forged: kmproxy audit verify\n"
)

// restoredNext says what running proxies do about it, and what to do next.
func restoredNext(r wire.Restored) string {
	switch {
	case r.OnTop:
		return toldOnTop
	case r.Apart != nil:
		return fmt.Sprintf(toldApart, r.Apart)
	}
	return toldAnew
}

// backupShown is a backup that was written or restored.
type backupShown struct {
	File      string        `json:"file"`
	CreatedAt time.Time     `json:"created_at"`
	Revision  keys.Revision `json:"revision"`
	Records   int           `json:"records"`
	KeyID     string        `json:"key_id"`           // of the master key that it takes to open it
	OnTop     *bool         `json:"on_top,omitempty"` // of a restore: running nodes follow it
	Apart     string        `json:"apart,omitempty"`  // of a restore: why it could not be on top
	next      string
}

func shownBackup(b backup.Backup, file, next string) backupShown {
	seal, _, _ := keys.ReadSeal(b.Store) // who reads it again sees what is wrong with it
	return backupShown{File: file, CreatedAt: b.CreatedAt, Revision: b.Store.Revision, Records: len(b.Store.Entries), KeyID: seal.KeyID, next: next}
}

func (r backupShown) text(w io.Writer) error {
	if err := record(w, "file", r.File, "written", when(r.CreatedAt), "revision", strconv.FormatUint(uint64(r.Revision), 10),
		"records", strconv.Itoa(r.Records), "sealed under", r.KeyID); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n"+r.next)
	return err
}
