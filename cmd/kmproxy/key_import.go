package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

func keyImportCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "adopt a crypto key that is in use elsewhere", Action: e.action(keyImport),
		Flags: []cli.Flag{
			aspIDFlag("the project's `ID`"),
			&cli.StringFlag{Name: "key-id", Usage: "the key's `ID`: 32 hex digits", Required: true},
			&cli.StringFlag{Name: "server-private-key", Usage: "`FILE` with the server's private key (PEM)", Required: true},
			&cli.StringFlag{Name: "client-public-key", Usage: "`FILE` with the client's public key (PEM)", Required: true},
			&cli.StringFlag{Name: "state", Usage: "`STATE` to begin in: staged, active, draining or suspended (default: active if the project has no active key, else staged)"},
		},
	}
}

func keyImport(e *env, c *cli.Context) (result, error) {
	n, err := e.importedKey(c)
	if err != nil {
		return nil, err
	}
	m, _, err := e.manager(c, wire.ToWrite)
	if err != nil {
		return nil, err
	}
	k, err := m.ImportKey(c.Context, actor(), n)
	if err != nil {
		return nil, explain(err)
	}
	return showKey(k), nil
}

func (e *env) importedKey(c *cli.Context) (manage.NewKey, error) {
	var n manage.NewKey
	var err error
	if n.ASPID, err = keys.ParseASPID(c.String("asp-id")); err != nil {
		return n, usageError("", "--asp-id: %w", err)
	}
	if n.ID, err = keys.ParseKeyID(c.String("key-id")); err != nil {
		return n, usageError("", "--key-id: %w", err)
	}
	if c.IsSet("state") {
		if n.State, err = keys.ParseState(c.String("state")); err != nil {
			return n, usageError("it is staged, active, draining or suspended", "--state: %w", err)
		}
	}
	if n.Server, err = e.privateKey(c.String("server-private-key")); err != nil {
		return n, fmt.Errorf("--server-private-key: %w", err)
	}
	if n.Client, err = e.publicKey(c.String("client-public-key")); err != nil {
		return n, fmt.Errorf("--client-public-key: %w", err)
	}
	return n, nil
}
