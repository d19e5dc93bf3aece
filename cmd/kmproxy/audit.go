package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/audit"
)

func auditCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "look at the record of every change",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list every change: who, when, what", Action: e.action(auditList)},
			{Name: "verify", Usage: "check that the record is whole and every record is the one last audited", Action: e.action(auditVerify)},
		},
	}
}

func auditList(e *env, c *cli.Context) (result, error) {
	m, _, err := e.manager(c, wire.ToRead)
	if err != nil {
		return nil, err
	}
	entries, err := m.Audit(c.Context)
	if err != nil {
		return nil, explain(err)
	}
	if entries == nil {
		entries = []audit.Entry{}
	}
	return auditShown{entries, e.look()}, nil
}

func auditVerify(e *env, c *cli.Context) (result, error) {
	m, _, err := e.manager(c, wire.ToRead)
	if err != nil {
		return nil, err
	}
	n, err := m.VerifyAudit(c.Context)
	if errors.Is(err, audit.ErrBroken) || errors.Is(err, keys.ErrDamaged) {
		return nil, hinted(err, tamperedHint)
	}
	if err != nil {
		return nil, explain(err)
	}
	return auditVerified{true, n}, nil
}

type auditShown struct {
	Entries []audit.Entry `json:"entries"`
	look    look
}

func (r auditShown) text(w io.Writer) error {
	var rows [][]string
	for _, e := range r.Entries {
		rows = append(rows, []string{strconv.FormatUint(e.Seq, 10), when(e.Time), r.look.ago(e.Time), e.Actor, e.Action, e.Target})
	}
	return table(w, []string{"SEQ", "TIME", "AGE", "ACTOR", "ACTION", "TARGET"}, rows)
}

type auditVerified struct {
	OK      bool `json:"ok"`
	Entries int  `json:"entries"`
}

func (r auditVerified) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "The record is whole: %d entries, and every record is the one last audited.\n", r.Entries)
	return err
}
