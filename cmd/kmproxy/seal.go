package main

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
)

func sealCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "seal",
		Usage: "look after the master key that seals the store",
		Subcommands: []*cli.Command{
			{Name: "status", Usage: "show which master key seals the store", Action: e.action(sealStatus)},
			{Name: "rotate", Usage: "seal everything under another master key; may be stopped and started again", Action: e.action(sealRotate), Flags: []cli.Flag{
				&cli.StringFlag{Name: "to", Usage: "`SOURCE` of the other key, as in master_key.source; a key file is made if it is not there", Required: true},
			}},
		},
	}
}

func sealStatus(e *env, c *cli.Context) (result, error) {
	cfg, err := e.config(c)
	if err != nil {
		return nil, err
	}
	s, err := wire.ReadSealStatus(c.Context, cfg, e.world())
	if err != nil {
		return nil, explain(err)
	}
	r := sealShown{Source: cfg.MasterKey.Source.String(), KeyID: s.Seal.KeyID}
	for _, n := range s.Under {
		r.Records += n
	}
	if next := s.Seal.Next; next != nil {
		r.InProgress = &resealShown{KeyID: next.KeyID, Records: s.Under[next.KeyID]}
	}
	return r, nil
}

// sealShown is what seals the store.
type sealShown struct {
	Source     string       `json:"source"`
	KeyID      string       `json:"key_id"` // empty: nothing is sealed yet
	Records    int          `json:"records"`
	InProgress *resealShown `json:"in_progress,omitempty"`
}

// resealShown is a re-sealing that was begun and not finished.
type resealShown struct {
	KeyID   string `json:"key_id"`
	Records int    `json:"records"` // that are sealed under it
}

func (r sealShown) text(w io.Writer) error {
	if r.KeyID == "" {
		_, err := fmt.Fprintf(w, "Nothing is sealed yet; the first change seals the store under %s\n", r.Source)
		return err
	}
	if err := record(w, "source", r.Source, "key id", r.KeyID, "records", strconv.Itoa(r.Records)); err != nil || r.InProgress == nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d of the records are sealed under %s already. Finish it, with the same SOURCE: kmproxy seal rotate --to SOURCE\n",
		r.InProgress.Records, r.InProgress.KeyID)
	return err
}

// resealGCPercent keeps the memory of a re-sealing near to what the store holds: as
// much again of replaced records may lie about otherwise, and time counts less here.
const resealGCPercent = 15

func sealRotate(e *env, c *cli.Context) (result, error) {
	cfg, err := e.config(c)
	if err != nil {
		return nil, err
	}
	here, err := filepath.Abs(e.path("."))
	if err != nil {
		return nil, err
	}
	to, err := config.ParseSource(c.String("to"), here)
	if err != nil {
		return nil, usageError("", "--to: %w", err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(resealGCPercent))
	reseal, err := wire.OpenReseal(c.Context, cfg, e.world(), to)
	if err != nil {
		return nil, explain(err)
	}
	reseal.Progress = e.progress("re-sealing")
	records, err := reseal.Run(c.Context, actor())
	if err != nil {
		return nil, explain(err)
	}
	cfg.MasterKey.Source = to
	return resealed{Source: to.String(), KeyID: reseal.To.ID(), Records: records, Line: sourceLine(cfg)}, nil
}

// sourceLine is the line of a config that names its master key.
func sourceLine(c config.Config) string {
	for line := range strings.Lines(c.Effective()) {
		if strings.HasPrefix(line, "source = ") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// resealed is a store that is sealed under another master key.
type resealed struct {
	Source  string `json:"source"`
	KeyID   string `json:"key_id"`
	Records int    `json:"records"`
	Line    string `json:"config_line"` // in [master_key]
}

func (r resealed) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, `All %d records are sealed under the master key %s.

Change the config, and then send a running proxy SIGHUP: until then it goes on
with the keys it holds, and follows no changes.

[master_key]
%s

The former master key still opens every earlier backup: keep it as long as those.
`, r.Records, r.KeyID, r.Line)
	return err
}
