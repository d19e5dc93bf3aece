package manage

import (
	"context"
	"slices"

	"kmproxy/keys"
)

// Projects returns all projects, by ASP id. Its error names every record that
// cannot be read.
func (m *Manager) Projects(ctx context.Context) ([]keys.Project, error) {
	v, err := m.vault.View(ctx)
	if err != nil {
		return nil, err
	}
	projects, err := v.All()
	for i := range projects {
		projects[i] = projects[i].At(v.Now)
	}
	return projects, err
}

// Project returns one project. Its error is ErrNotFound.
func (m *Manager) Project(ctx context.Context, id keys.ASPID) (keys.Project, error) {
	v, err := m.vault.View(ctx)
	if err != nil {
		return keys.Project{}, err
	}
	p, err := v.Shown(id)
	return p.At(v.Now), err
}

// Keys returns the crypto keys of one project, or of all with an empty id, by
// project in the order they were issued. Its error is ErrNotFound.
func (m *Manager) Keys(ctx context.Context, of keys.ASPID) ([]keys.Key, error) {
	projects, err := m.some(ctx, of)
	if err != nil {
		return nil, err
	}
	var out []keys.Key
	for _, p := range projects {
		out = append(out, p.Keys...)
	}
	return out, nil
}

func (m *Manager) some(ctx context.Context, of keys.ASPID) ([]keys.Project, error) {
	if of == "" {
		return m.Projects(ctx)
	}
	p, err := m.Project(ctx, of)
	return []keys.Project{p}, err
}

// Key returns one crypto key, in whatever letter case its id is given. Its error
// is ErrNotFound.
func (m *Manager) Key(ctx context.Context, id keys.KeyID) (keys.Key, error) {
	v, err := m.vault.View(ctx)
	if err != nil {
		return keys.Key{}, err
	}
	p, err := v.Owner(id)
	if err != nil {
		return keys.Key{}, err
	}
	i := slices.IndexFunc(p.Keys, func(k keys.Key) bool { return k.ID.Equal(id) })
	return p.Keys[i].At(v.Now), nil
}
