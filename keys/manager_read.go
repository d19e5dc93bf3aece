package keys

import (
	"context"
	"slices"
)

// Projects returns all projects, by ASP id. Its error names every record that
// cannot be read.
func (m *Manager) Projects(ctx context.Context) ([]Project, error) {
	v, err := m.view(ctx)
	if err != nil {
		return nil, err
	}
	projects, err := v.all()
	for i := range projects {
		projects[i].settle(v.now)
	}
	return projects, err
}

// Project returns one project. Its error is ErrNotFound.
func (m *Manager) Project(ctx context.Context, id ASPID) (Project, error) {
	v, err := m.view(ctx)
	if err != nil {
		return Project{}, err
	}
	p, err := v.shown(id)
	p.settle(v.now)
	return p, err
}

// Keys returns the crypto keys of one project, or of all with an empty id, by
// project in the order they were issued. Its error is ErrNotFound.
func (m *Manager) Keys(ctx context.Context, of ASPID) ([]Key, error) {
	projects, err := m.some(ctx, of)
	if err != nil {
		return nil, err
	}
	var out []Key
	for _, p := range projects {
		out = append(out, p.Keys...)
	}
	return out, nil
}

func (m *Manager) some(ctx context.Context, of ASPID) ([]Project, error) {
	if of == "" {
		return m.Projects(ctx)
	}
	p, err := m.Project(ctx, of)
	return []Project{p}, err
}

// Key returns one crypto key, in whatever letter case its id is given. Its error
// is ErrNotFound.
func (m *Manager) Key(ctx context.Context, id KeyID) (Key, error) {
	v, err := m.view(ctx)
	if err != nil {
		return Key{}, err
	}
	p, err := v.owner(id)
	if err != nil {
		return Key{}, err
	}
	i := slices.IndexFunc(p.Keys, func(k Key) bool { return k.ID.Equal(id) })
	return p.Keys[i].At(v.now), nil
}
