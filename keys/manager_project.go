package keys

import (
	"context"
	"crypto/rand"
	"fmt"

	"kmproxy/crypto/sensitive"
)

// MinSecretLen is the shortest secret key that may be brought along, in bytes.
// It is as short as the ones that are in use; those made here have 52.
const MinSecretLen = 6

// NewProject is a project to be made.
type NewProject struct {
	ASPID     ASPID
	Name      string
	AccessKey AccessKey       // empty: a new one
	Secret    sensitive.Bytes // empty: a new one
}

// Issued is a pair of access key and secret as it is told once, at creation.
type Issued struct {
	ASPID     ASPID
	AccessKey AccessKey
	Secret    sensitive.Bytes
}

// CreateProject registers a service provider. Errors: ErrExists, ErrRefused.
func (m *Manager) CreateProject(ctx context.Context, who Actor, n NewProject) (Issued, error) {
	if n.AccessKey == "" {
		n.AccessKey = newAccessKey()
	}
	if n.Secret.Len() == 0 {
		n.Secret = sensitive.New([]byte(rand.Text() + rand.Text()))
	}
	if n.Secret.Len() < MinSecretLen {
		return Issued{}, fmt.Errorf("project %s: %w: the secret key is shorter than %d characters", n.ASPID, ErrRefused, MinSecretLen)
	}
	err := m.commit(ctx, act{who, "project create", string(n.ASPID)}, func(v *view) (change, error) {
		if _, ok := v.plain[projectName(n.ASPID)]; ok {
			return change{}, fmt.Errorf("project %s is %w", n.ASPID, ErrExists)
		}
		if v.accessKeyKnown(n.AccessKey) {
			return change{}, fmt.Errorf("the access key %s is %w", n.AccessKey, ErrExists)
		}
		return change{project: Project{ASPID: n.ASPID, Name: n.Name, CreatedAt: m.now(),
			Credentials: []Credential{{AccessKey: n.AccessKey, CreatedAt: m.now(), secret: n.Secret}}}}, nil
	})
	if err != nil {
		return Issued{}, err
	}
	return Issued{n.ASPID, n.AccessKey, n.Secret}, nil
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
		out = p
		return change{project: p}, nil
	})
	return out, err
}

// Projects returns all projects, by ASP id.
func (m *Manager) Projects(ctx context.Context) ([]Project, error) {
	v, err := m.view(ctx)
	if err != nil {
		return nil, err
	}
	return v.projects()
}

// Project returns one project. Its error is ErrNotFound.
func (m *Manager) Project(ctx context.Context, id ASPID) (Project, error) {
	v, err := m.view(ctx)
	if err != nil {
		return Project{}, err
	}
	return v.project(id)
}
