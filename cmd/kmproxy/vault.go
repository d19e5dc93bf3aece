package main

import (
	"context"
	"errors"
	"io/fs"
	"os/user"
	"syscall"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/manage"
)

// manager opens the store that the config names.
func (e *env) manager(c *cli.Context, to wire.Intent) (*manage.Manager, config.Config, error) {
	cfg, err := e.config(c)
	if err != nil {
		return nil, cfg, err
	}
	vault, err := wire.OpenVault(c.Context, cfg, e.world(), to)
	if err != nil {
		return nil, cfg, explain(err)
	}
	m, err := vault.Manager(c.Context, cfg, e.world())
	return m, cfg, explain(err)
}

func (e *env) world() wire.World {
	return wire.World{Getenv: e.getenv, Now: e.now, LogDrops: e.logDrops}
}

// actor is the OS user: who the record of changes names.
func actor() keys.Actor {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return keys.Actor{Name: "unknown user"}
	}
	return keys.Actor{Name: u.Username}
}

const tamperedHint = "somebody changed the store without kmproxy: compare it with a backup, and keep it as evidence"

const fullHint = "the disk is full: make room where the error says, and give the same command again"

// explain adds what to do about what can go wrong with projects and keys.
func explain(err error) error {
	hints := []struct {
		is   error
		hint string
	}{
		{audit.ErrBroken, tamperedHint},
		{keys.ErrDamaged, "nothing was changed; restore the store from a backup, or find out who edited it"},
		{wire.ErrNoStore, "check store.url in the config; kmproxy project create makes a store"},
		{wire.ErrNoMasterKey, "bring the key file back from where you keep it, or name it in master_key.source; without it the store cannot be opened"},
		{envelope.ErrOtherKey, "name the master key that seals this store in master_key.source"},
		{syscall.ENOSPC, fullHint},
		{syscall.EDQUOT, fullHint},
		{syscall.EROFS, "the file system is read-only: mount it for writing, and give the same command again"},
		{wire.ErrOwner, "nothing was changed; sudo -u with the user that the error names gives it as that user"},
		{fs.ErrPermission, "run it as the user who owns what the error names"},
		{keys.ErrNotFound, "see what is known with: kmproxy project list, kmproxy key list"},
		{keys.ErrLimit, "see the project's keys with: kmproxy key list; keys.max_per_project allows this many"},
	}
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if _, inUse := errors.AsType[*manage.InUseError](err); inUse {
		return hinted(err, "ask them to change to another key, and look again with: kmproxy key usage; --force destroys it all the same")
	}
	if _, illegal := errors.AsType[*keys.MoveError](err); illegal {
		return hinted(err, "see where it stands with: kmproxy key list")
	}
	if named, is := errors.AsType[interface {
		error
		Hint() string
	}](err); is && named.Hint() != "" {
		return hinted(err, named.Hint())
	}
	for _, h := range hints {
		if errors.Is(err, h.is) {
			return hinted(err, h.hint)
		}
	}
	return err
}
