package ring

import (
	"errors"
	"fmt"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/internal/cores"
	"kmproxy/keys/internal/vault"
)

// Ring is what requests read: every project at one revision. It is immutable and
// safe for concurrent use without locks. Building it proves that every record
// opens; the RSA keys in it are made ready at their first use, once.
type Ring struct {
	revision keys.Revision
	master   string             // the id of the key that opened it
	members  map[string]*Member // by record name
	access   map[keys.AccessKey]*Member
	pinned   bool // some member is
}

// New builds a Ring of a store's content. Members of before, which may be
// nil, are taken over where their record has not changed. All records that do
// not open are named in its error, and then there is no Ring.
func New(s keys.Snapshot, master envelope.Key, before *Ring) (*Ring, error) {
	if _, err := vault.CheckSeal(s, master); err != nil {
		return nil, err
	}
	r := &Ring{revision: s.Revision, master: master.ID(), members: make(map[string]*Member, len(s.Entries)),
		access: make(map[keys.AccessKey]*Member, len(s.Entries))}
	names := vault.ProjectNames(s)
	members, failed := make([]*Member, len(names)), make([]error, len(names))
	cores.Each(len(names), func(i int) {
		members[i], failed[i] = r.member(names[i], s.Entries[names[i]].Value, master, before)
	})
	for i, m := range members {
		if failed[i] == nil {
			failed[i] = r.add(names[i], m)
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return r, nil
}

// member makes or takes over one member. What counts is the record, and not its
// revision: a store that was put back to an earlier state counts those again.
func (r *Ring) member(name string, value []byte, master envelope.Key, before *Ring) (*Member, error) {
	if before != nil && before.master == r.master {
		if m, ok := before.members[name]; ok && m.secrets.isOf(value) {
			return m, nil
		}
	}
	p, err := vault.Show(master, name, value)
	if err != nil {
		return nil, err
	}
	return newMember(p, newLazySecrets(name, value, master)), nil
}

// add refuses an access key that two records claim, as one that was put back from
// an earlier time could: whose requests they are would be chance.
func (r *Ring) add(name string, m *Member) error {
	r.members[name] = m
	r.pinned = r.pinned || m.pin != keys.Pin{}
	for k := range m.expires {
		if other, taken := r.access[k]; taken {
			first, second := min(m.aspID, other.aspID), max(m.aspID, other.aspID)
			return vault.Damaged(vault.ProjectName(first), fmt.Errorf("project %s has the access key %s too", second, k))
		}
		r.access[k] = m
	}
	return nil
}

// Revision is the store's revision that the Ring shows.
func (r *Ring) Revision() keys.Revision { return r.revision }

// Projects counts the projects.
func (r *Ring) Projects() int { return len(r.members) }

// Pinned reports whether there is a project that only connections with its own
// client certificate may speak for.
func (r *Ring) Pinned() bool { return r.pinned }

// ByAccessKey finds the project of an access key that has not expired at now.
func (r *Ring) ByAccessKey(k keys.AccessKey, now time.Time) (*Member, bool) {
	m, ok := r.access[k]
	if !ok {
		return nil, false
	}
	if end := m.expires[k]; !end.IsZero() && !now.Before(end) {
		return nil, false
	}
	return m, true
}

// Usable reports whether requests may use that key of that project at now.
func (r *Ring) Usable(id keys.ASPID, key keys.KeyID, now time.Time) bool {
	m, ok := r.members[vault.ProjectName(id)]
	if !ok || m.Suspended() {
		return false
	}
	k, ok := m.Key(key)
	return ok && k.At(now).State.Usable()
}
