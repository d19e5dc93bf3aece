package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

// newKeyBits is what the protocol's documents name.
const newKeyBits = 2048

func keyCreateCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "make a crypto key for a project", Action: e.action(keyCreate),
		Flags: newKeyFlags(),
	}
}

func newKeyFlags() []cli.Flag {
	return []cli.Flag{
		aspIDFlag("the project's `ID`"),
		&cli.StringFlag{Name: "client-public-key", Usage: "`FILE` with the client's public key; without it the client's pair is made too"},
		&cli.StringFlag{Name: "out", Usage: "`DIR` for the client's private key", Value: "."},
	}
}

func keyCreate(e *env, c *cli.Context) (result, error) {
	return e.newKey(c, func(ctx context.Context, m *manage.Manager, n manage.NewKey) (keys.Key, error) {
		return m.CreateKey(ctx, actor(), n)
	})
}

// newKey makes a key of the flags and adds it to its project.
func (e *env) newKey(c *cli.Context, add addKey) (result, error) {
	n := manage.NewKey{ID: keys.NewKeyID()}
	var err error
	if n.ASPID, err = keys.ParseASPID(c.String("asp-id")); err != nil {
		return nil, usageError("", "--asp-id: %w", err)
	}
	if c.IsSet("client-public-key") {
		if n.Client, err = e.publicKey(c.String("client-public-key")); err != nil {
			return nil, fmt.Errorf("--client-public-key: %w", err)
		}
	}
	m, _, err := e.manager(c, wire.ToWrite)
	if err != nil {
		return nil, err
	}
	if _, err := m.Project(c.Context, n.ASPID); err != nil {
		return nil, explain(err) // before anything is made for nobody
	}
	return e.createKey(c, m, n, add)
}

// addKey is the act that a new key is made for.
type addKey func(context.Context, *manage.Manager, manage.NewKey) (keys.Key, error)

// createKey makes what is missing of a key and adds it to its project. The
// client's private half is written before the store knows the key: a key that
// was reported can always be used.
func (e *env) createKey(c *cli.Context, m *manage.Manager, n manage.NewKey, add addKey) (result, error) {
	var err error
	if n.Server, err = jwk.Generate(newKeyBits); err != nil {
		return nil, err
	}
	file := ""
	if n.Client == nil {
		client, written, err := newClient(e.path(c.String("out")), n.ID)
		if err != nil {
			return nil, explain(err)
		}
		n.Client, file = &client.PublicKey, written
	}
	k, err := add(c.Context, m, n)
	if err != nil {
		if file != "" {
			err = errors.Join(err, os.Remove(file))
		}
		return nil, explain(err)
	}
	shown := showKey(k)
	shown.ClientFile = file
	return shown, nil
}

// newClient makes the client's pair and writes its private half to a new file.
func newClient(dir string, id keys.KeyID) (*rsa.PrivateKey, string, error) {
	client, err := jwk.Generate(newKeyBits)
	if err != nil {
		return nil, "", err
	}
	text, err := jwk.PrivatePEM(client)
	if err != nil {
		return nil, "", err
	}
	defer text.Wipe()
	file := filepath.Join(dir, string(id)+"_client_private.pem")
	if err := wire.CreateSecretFile(file, text); err != nil {
		return nil, "", fmt.Errorf("writing the client's private key: %w", err)
	}
	return client, file, nil
}

// publicKey reads a public key file.
func (e *env) publicKey(name string) (*rsa.PublicKey, error) {
	text, err := wire.ReadPublicFile(e.path(name))
	if err != nil {
		return nil, err
	}
	k, err := jwk.ParsePublicPEM(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return k, nil
}

// privateKey reads a private key file, which nobody else may read.
func (e *env) privateKey(name string) (*rsa.PrivateKey, error) {
	text, err := wire.ReadSecretFile(e.path(name))
	if err != nil {
		return nil, err
	}
	defer text.Wipe()
	k, err := jwk.ParsePrivatePEM(text.Expose())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return k, nil
}
