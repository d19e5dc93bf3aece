package manage

import (
	"context"
	"crypto/rand"
	"fmt"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// NewProject is a project to be made.
type NewProject struct {
	ASPID     keys.ASPID
	Name      string          // printable, at most MaxNameLen bytes; may be empty
	AccessKey keys.AccessKey  // empty: a new one
	ClientPin keys.Pin        // zero: its requests may come over any connection
	Secret    sensitive.Bytes // keys.MinSecretLen to keys.MaxSecretLen bytes; empty: a new one
}

// Issued is a pair of access key and secret as it is told once, at creation.
type Issued struct {
	ASPID     keys.ASPID
	AccessKey keys.AccessKey
	Secret    sensitive.Bytes
}

// CreateProject registers a service provider. Errors: ErrID, ErrExists, ErrRefused.
func (m *Manager) CreateProject(ctx context.Context, who keys.Actor, n NewProject) (Issued, error) {
	if n.AccessKey == "" {
		n.AccessKey = keys.NewAccessKey()
	}
	if n.Secret.Len() == 0 {
		n.Secret = sensitive.New([]byte(rand.Text() + rand.Text()))
	}
	if err := n.check(); err != nil {
		return Issued{}, fmt.Errorf("project create: %w", err)
	}
	err := m.vault.Commit(ctx, act(who, "project create", string(n.ASPID)), func(v *vault.View) (vault.Change, error) {
		if err := n.isNew(v); err != nil {
			return vault.Change{}, err
		}
		p := vault.NewProject(keys.Project{ASPID: n.ASPID, Name: n.Name, CreatedAt: v.Now, ClientPin: n.ClientPin})
		p.AddCredential(keys.Credential{AccessKey: n.AccessKey, CreatedAt: v.Now}, n.Secret)
		return vault.Change{Project: p}, nil
	})
	if err != nil {
		return Issued{}, err
	}
	return Issued{n.ASPID, n.AccessKey, n.Secret}, nil
}

func (n NewProject) check() error {
	if _, err := keys.ParseASPID(string(n.ASPID)); err != nil {
		return err
	}
	if _, err := keys.ParseAccessKey(string(n.AccessKey)); err != nil {
		return err
	}
	if n.Secret.Len() < keys.MinSecretLen || n.Secret.Len() > keys.MaxSecretLen {
		return fmt.Errorf("%w: a secret key has %d to %d characters", keys.ErrRefused, keys.MinSecretLen, keys.MaxSecretLen)
	}
	return keys.CheckName(n.Name)
}

func (n NewProject) isNew(v *vault.View) error {
	if v.Has(n.ASPID) {
		return fmt.Errorf("project %s is %w", n.ASPID, keys.ErrExists)
	}
	projects, err := v.All()
	if err != nil {
		return err
	}
	if projects.AccessKey(n.AccessKey) {
		return fmt.Errorf("the access key %s is %w", n.AccessKey, keys.ErrExists)
	}
	return nil
}

// SuspendProject refuses all its requests from now on. Errors: ErrNotFound,
// ErrRefused if it is suspended already.
func (m *Manager) SuspendProject(ctx context.Context, who keys.Actor, id keys.ASPID) (keys.Project, error) {
	return m.setSuspended(ctx, act(who, "project suspend", string(id)), id, true)
}

// ResumeProject takes the suspension back. Errors: ErrNotFound, ErrRefused if it
// is not suspended.
func (m *Manager) ResumeProject(ctx context.Context, who keys.Actor, id keys.ASPID) (keys.Project, error) {
	return m.setSuspended(ctx, act(who, "project resume", string(id)), id, false)
}

func (m *Manager) setSuspended(ctx context.Context, a vault.Act, id keys.ASPID, to bool) (keys.Project, error) {
	var out keys.Project
	err := m.vault.Commit(ctx, a, func(v *vault.View) (vault.Change, error) {
		p, err := v.Project(id)
		if err != nil {
			return vault.Change{}, err
		}
		if p.Suspended == to {
			return vault.Change{}, fmt.Errorf("project %s: %w: it is %s already", id, keys.ErrRefused, stateOf(to))
		}
		p.Suspended = to
		out = p.Shown()
		return vault.Change{Project: p}, nil
	})
	if err != nil {
		return keys.Project{}, err
	}
	return out, nil
}

func stateOf(suspended bool) string {
	if suspended {
		return "suspended"
	}
	return "active"
}
