package keys

import (
	"context"
	"crypto/rand"
	"fmt"

	"kmproxy/crypto/sensitive"
)

// The lengths of a secret key that may be brought along, in bytes. The shortest
// are as short as the ones that are in use; those made here have 52.
const (
	MinSecretLen = 6
	MaxSecretLen = 512
)

// NewProject is a project to be made.
type NewProject struct {
	ASPID     ASPID
	Name      string          // printable, at most MaxNameLen bytes; may be empty
	AccessKey AccessKey       // empty: a new one
	ClientPin Pin             // zero: its requests may come over any connection
	Secret    sensitive.Bytes // MinSecretLen to MaxSecretLen bytes; empty: a new one
}

// Issued is a pair of access key and secret as it is told once, at creation.
type Issued struct {
	ASPID     ASPID
	AccessKey AccessKey
	Secret    sensitive.Bytes
}

// CreateProject registers a service provider. Errors: ErrID, ErrExists, ErrRefused.
func (m *Manager) CreateProject(ctx context.Context, who Actor, n NewProject) (Issued, error) {
	if n.AccessKey == "" {
		n.AccessKey = newAccessKey()
	}
	if n.Secret.Len() == 0 {
		n.Secret = sensitive.New([]byte(rand.Text() + rand.Text()))
	}
	if err := n.check(); err != nil {
		return Issued{}, fmt.Errorf("project create: %w", err)
	}
	err := m.commit(ctx, act{who, "project create", string(n.ASPID)}, func(v *view) (change, error) {
		if err := n.isNew(v); err != nil {
			return change{}, err
		}
		return change{project: Project{ASPID: n.ASPID, Name: n.Name, CreatedAt: v.now, ClientPin: n.ClientPin,
			Credentials: []Credential{{AccessKey: n.AccessKey, CreatedAt: v.now, secret: n.Secret}}}}, nil
	})
	if err != nil {
		return Issued{}, err
	}
	return Issued{n.ASPID, n.AccessKey, n.Secret}, nil
}

func (n NewProject) check() error {
	if _, err := ParseASPID(string(n.ASPID)); err != nil {
		return err
	}
	if _, err := ParseAccessKey(string(n.AccessKey)); err != nil {
		return err
	}
	if n.Secret.Len() < MinSecretLen || n.Secret.Len() > MaxSecretLen {
		return fmt.Errorf("%w: a secret key has %d to %d characters", ErrRefused, MinSecretLen, MaxSecretLen)
	}
	return checkName(n.Name)
}

func (n NewProject) isNew(v *view) error {
	if _, known := v.snap.Entries[projectName(n.ASPID)]; known {
		return fmt.Errorf("project %s is %w", n.ASPID, ErrExists)
	}
	projects, err := v.all()
	if err != nil {
		return err
	}
	if projects.accessKey(n.AccessKey) {
		return fmt.Errorf("the access key %s is %w", n.AccessKey, ErrExists)
	}
	return nil
}

// SuspendProject refuses all its requests from now on. Errors: ErrNotFound,
// ErrRefused if it is suspended already.
func (m *Manager) SuspendProject(ctx context.Context, who Actor, id ASPID) (Project, error) {
	return m.setSuspended(ctx, act{who, "project suspend", string(id)}, id, true)
}

// ResumeProject takes the suspension back. Errors: ErrNotFound, ErrRefused if it
// is not suspended.
func (m *Manager) ResumeProject(ctx context.Context, who Actor, id ASPID) (Project, error) {
	return m.setSuspended(ctx, act{who, "project resume", string(id)}, id, false)
}

func (m *Manager) setSuspended(ctx context.Context, a act, id ASPID, to bool) (Project, error) {
	var out Project
	err := m.commit(ctx, a, func(v *view) (change, error) {
		p, err := v.project(id)
		if err != nil {
			return change{}, err
		}
		if p.Suspended == to {
			return change{}, fmt.Errorf("project %s: %w: it is %s already", id, ErrRefused, projectState(to))
		}
		p.Suspended = to
		out = p.shown()
		return change{project: p}, nil
	})
	if err != nil {
		return Project{}, err
	}
	return out, nil
}
