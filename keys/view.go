package keys

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kmproxy/crypto/envelope"
)

// view is the store at one revision, as an act looks at it: the plain part of
// every project, and a project's secrets where they are asked for.
type view struct {
	snap   Snapshot
	master envelope.Key
	sealed bool // the store has its seal record
	plain  map[string]plainEntry
}

type plainEntry struct {
	record  record
	project plainProject
}

func (m *Manager) view(ctx context.Context) (*view, error) {
	snap, err := m.c.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	v := &view{snap: snap, master: m.c.Master, plain: make(map[string]plainEntry, len(snap.Entries))}
	if v.sealed, err = checkSeal(snap, m.c.Master); err != nil {
		return nil, err
	}
	for name, entry := range snap.Entries {
		if !isProject(name) {
			continue
		}
		r, p, err := readRecord(name, entry.Value)
		if err != nil {
			return nil, err
		}
		v.plain[name] = plainEntry{r, p}
	}
	return v, nil
}

// project opens one project, which proves that nobody has edited it.
func (v *view) project(id ASPID) (Project, error) {
	name := projectName(id)
	entry, ok := v.snap.Entries[name]
	if !ok {
		return Project{}, fmt.Errorf("project %s: %w", id, ErrNotFound)
	}
	p, _, err := decode(v.master, name, entry.Value)
	return p, err
}

// projects opens them all, by ASP id.
func (v *view) projects() ([]Project, error) {
	out := make([]Project, 0, len(v.plain))
	for _, e := range v.plain {
		p, err := v.project(e.project.ASPID)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Project) int { return strings.Compare(string(a.ASPID), string(b.ASPID)) })
	return out, nil
}

// accessKeyKnown tells whether any project has it.
func (v *view) accessKeyKnown(k AccessKey) bool {
	for _, e := range v.plain {
		for _, c := range e.project.Credentials {
			if c.AccessKey == k {
				return true
			}
		}
	}
	return false
}

// keyOwner finds the project of a key id.
func (v *view) keyOwner(id KeyID) (ASPID, bool) {
	for _, e := range v.plain {
		for _, k := range e.project.Keys {
			if k.ID.Equal(id) {
				return e.project.ASPID, true
			}
		}
	}
	return "", false
}

// serverKnown tells whether a server key was ever registered, in any state.
func (v *view) serverKnown(serverPEM string) bool {
	for _, e := range v.plain {
		for _, k := range e.project.Keys {
			if k.ServerPEM == serverPEM {
				return true
			}
		}
	}
	return false
}
