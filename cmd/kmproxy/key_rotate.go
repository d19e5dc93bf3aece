package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

func keyRotateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "rotate", Usage: "make a new key and promote it in one step; the active one before drains", Action: e.action(keyRotate),
		Flags: append(newKeyFlags(), endFlags()...),
	}
}

func keyRotate(e *env, c *cli.Context) (result, error) {
	ends, err := e.ends(c)
	if err != nil {
		return nil, err
	}
	return e.newKey(c, func(ctx context.Context, m *manage.Manager, n manage.NewKey) (keys.Key, error) {
		return m.RotateKey(ctx, actor(), n, ends)
	})
}

func projectRotateSecret(e *env, c *cli.Context) (result, error) {
	id, err := keys.ParseASPID(c.Args().First())
	if err != nil {
		return nil, usageError("", "%w", err)
	}
	m, _, err := e.manager(c, wire.ToWrite)
	if err != nil {
		return nil, err
	}
	issued, err := m.RotateSecret(c.Context, actor(), id, c.Duration("overlap"))
	if err != nil {
		return nil, explain(err)
	}
	return issuedProject{ASPID: issued.ASPID, AccessKey: issued.AccessKey, SecretKey: string(issued.Secret.Expose()),
		next: fmt.Sprintf("The pairs before work for %v more.", c.Duration("overlap"))}, nil
}
