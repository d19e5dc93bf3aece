package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/internal/cores"
)

// View is the store at one revision and at one time, as a change is decided on it. A
// project is read when it is asked for, so that a damaged record stops the acts on
// its own project, and those that must know of every project, but no others.
type View struct {
	keys.Snapshot
	Master envelope.Key
	Now    time.Time
	sealed bool // the store has its seal record
}

// NewView is a View of a store that has a seal record, which the caller has checked.
func NewView(s keys.Snapshot, master envelope.Key, now time.Time) *View {
	return &View{Snapshot: s, Master: master, Now: now.UTC().Truncate(time.Second), sealed: true}
}

// Project opens one project with its secrets, in order to change it. Its keys are
// as the clock has them. A record that was put back from an earlier time is
// refused: it would look genuine after the change. Errors: keys.ErrNotFound,
// keys.ErrDamaged, keys.ErrRefused, audit.ErrBroken.
func (v *View) Project(id keys.ASPID) (Project, error) {
	name := ProjectName(id)
	entry, ok := v.Entries[name]
	if !ok {
		return Project{}, fmt.Errorf("project %s: %w", id, keys.ErrNotFound)
	}
	p, err := decode(v.Master, name, entry.Value)
	if err != nil {
		return Project{}, err
	}
	p.Project = p.At(v.Now)
	return p, v.lastAudited(name)
}

// Has reports whether there is a record of a project.
func (v *View) Has(id keys.ASPID) bool {
	_, known := v.Entries[ProjectName(id)]
	return known
}

// Shown reads one project without its secrets, as its record has it. Errors:
// keys.ErrNotFound, keys.ErrDamaged.
func (v *View) Shown(id keys.ASPID) (keys.Project, error) {
	name := ProjectName(id)
	entry, ok := v.Entries[name]
	if !ok {
		return keys.Project{}, fmt.Errorf("project %s: %w", id, keys.ErrNotFound)
	}
	return Show(v.Master, name, entry.Value)
}

// Owner finds the project of a key id. Records that fail, or claim the key and do
// not open, are passed over; they are named if no other has it. Errors:
// keys.ErrNotFound, keys.ErrDamaged.
func (v *View) Owner(id keys.KeyID) (keys.Project, error) {
	var failed []error
	for _, name := range ProjectNames(v.Snapshot) {
		value := v.Entries[name].Value
		_, plain, err := readRecord(name, value)
		if err == nil && !plain.has(id) {
			continue
		}
		p, err := Show(v.Master, name, value)
		if err == nil {
			return p, nil
		}
		failed = append(failed, err)
	}
	if len(failed) > 0 {
		return keys.Project{}, fmt.Errorf("looking for key %s: %w", id, errors.Join(failed...))
	}
	return keys.Project{}, fmt.Errorf("key %s: %w", id, keys.ErrNotFound)
}

// All reads every project without its secrets, by ASP id. Its error names every
// record that fails.
func (v *View) All() (Registry, error) {
	names := ProjectNames(v.Snapshot)
	out := make(Registry, len(names))
	failed := make([]error, len(names))
	cores.Each(len(names), func(i int) {
		out[i], failed[i] = Show(v.Master, names[i], v.Entries[names[i]].Value)
	})
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return out, nil
}

// ProjectNames lists the records of projects, which is by ASP id.
func ProjectNames(s keys.Snapshot) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.Entries)), func(name string) bool { return !isProject(name) })
}

// Registry is every project. It decides what is new, and so every record in it is
// proven: a key that was hidden in an edited record cannot be registered twice.
type Registry []keys.Project

// AccessKey reports whether any project has it.
func (r Registry) AccessKey(k keys.AccessKey) bool {
	return slices.ContainsFunc(r, func(p keys.Project) bool {
		return slices.ContainsFunc(p.Credentials, func(c keys.Credential) bool { return c.AccessKey == k })
	})
}

// Key finds a key, in whatever state, that is as wanted.
func (r Registry) Key(wanted func(keys.Key) bool) (keys.Key, bool) {
	for _, p := range r {
		if i := slices.IndexFunc(p.Keys, wanted); i >= 0 {
			return p.Keys[i], true
		}
	}
	return keys.Key{}, false
}
