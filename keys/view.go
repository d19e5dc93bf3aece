package keys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys/internal/cores"
)

// view is the store at one revision and at one time, as an act looks at it. A project is read
// when it is asked for, so that a damaged record stops the acts on its own
// project, and those that must know of every project, but no others.
type view struct {
	snap   Snapshot
	master envelope.Key
	sealed bool // the store has its seal record
	now    time.Time
}

func (m *Manager) view(ctx context.Context) (*view, error) {
	snap, err := m.c.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	sealed, err := checkSeal(snap, m.c.Master)
	if err != nil {
		return nil, err
	}
	return &view{snap: snap, master: m.c.Master, sealed: sealed, now: m.now()}, nil
}

// project opens one project with its secrets, in order to change it. Its keys are
// as the clock has them. A record that was put back from an earlier time is
// refused: it would look genuine behind the change.
func (v *view) project(id ASPID) (Project, error) {
	name := projectName(id)
	entry, ok := v.snap.Entries[name]
	if !ok {
		return Project{}, fmt.Errorf("project %s: %w", id, ErrNotFound)
	}
	p, err := decode(v.master, name, entry.Value)
	if err != nil {
		return Project{}, err
	}
	p.settle(v.now)
	return p, v.lastAudited(name)
}

// shown reads one project without its secrets.
func (v *view) shown(id ASPID) (Project, error) {
	name := projectName(id)
	entry, ok := v.snap.Entries[name]
	if !ok {
		return Project{}, fmt.Errorf("project %s: %w", id, ErrNotFound)
	}
	return show(v.master, name, entry.Value)
}

// owner finds the project of a key id. Records that fail, or claim the key and do
// not open, are passed over; they are named if no other has it.
func (v *view) owner(id KeyID) (Project, error) {
	var failed []error
	for _, name := range v.names() {
		value := v.snap.Entries[name].Value
		_, plain, err := readRecord(name, value)
		if err == nil && !plain.has(id) {
			continue
		}
		p, err := show(v.master, name, value)
		if err == nil {
			return p, nil
		}
		failed = append(failed, err)
	}
	if len(failed) > 0 {
		return Project{}, fmt.Errorf("looking for key %s: %w", id, errors.Join(failed...))
	}
	return Project{}, fmt.Errorf("key %s: %w", id, ErrNotFound)
}

// all reads every project without its secrets, by ASP id. Its error names every
// record that fails.
func (v *view) all() (registry, error) {
	names := v.names()
	out := make(registry, len(names))
	failed := make([]error, len(names))
	cores.Each(len(names), func(i int) {
		out[i], failed[i] = show(v.master, names[i], v.snap.Entries[names[i]].Value)
	})
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return out, nil
}

// names lists the records of projects, which is by ASP id.
func (v *view) names() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(v.snap.Entries)), func(name string) bool { return !isProject(name) })
}

// registry is every project. It decides what is new, and so every record in it is
// proven: who hides a key in an edited record cannot have it registered twice.
type registry []Project

// accessKey tells whether any project has it.
func (r registry) accessKey(k AccessKey) bool {
	return slices.ContainsFunc(r, func(p Project) bool {
		return slices.ContainsFunc(p.Credentials, func(c Credential) bool { return c.AccessKey == k })
	})
}

// key finds a key, in whatever state, that is as wanted.
func (r registry) key(wanted func(Key) bool) (Key, bool) {
	for _, p := range r {
		if i := slices.IndexFunc(p.Keys, wanted); i >= 0 {
			return p.Keys[i], true
		}
	}
	return Key{}, false
}
