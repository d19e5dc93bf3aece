package keys

import (
	"errors"
	"fmt"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// Ring is what requests read: every project at one revision. It is immutable and
// safe for concurrent use without locks. Building it proves that every record
// opens; the RSA keys in it are made ready at their first use, once.
type Ring struct {
	revision Revision
	members  map[string]*Member // by record name
	access   map[AccessKey]*Member
}

// Member is a project as requests see it.
type Member struct {
	entry     Revision
	aspID     ASPID
	suspended bool
	expires   map[AccessKey]time.Time
	keys      map[KeyID]*RingKey
	active    *RingKey
	secrets   *lazySecrets
}

// NewRing builds a Ring of a store's content. Members of before, which may be
// nil, are taken over where their record has not changed. All records that do
// not open are named in its error, and then there is no Ring.
func NewRing(s Snapshot, master envelope.Key, before *Ring) (*Ring, error) {
	if _, err := checkSeal(s, master); err != nil {
		return nil, err
	}
	r := &Ring{revision: s.Revision, members: make(map[string]*Member, len(s.Entries)),
		access: make(map[AccessKey]*Member, len(s.Entries))}
	var failed []error
	for name, entry := range s.Entries {
		if !isProject(name) {
			continue
		}
		m, err := r.member(name, entry, master, before)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		r.members[name] = m
		for k := range m.expires {
			r.access[k] = m
		}
	}
	if len(failed) > 0 {
		return nil, errors.Join(failed...)
	}
	return r, nil
}

func (r *Ring) member(name string, e Entry, master envelope.Key, before *Ring) (*Member, error) {
	if before != nil {
		if m, ok := before.members[name]; ok && m.entry == e.Revision {
			return m, nil
		}
	}
	rec, plain, err := readRecord(name, e.Value)
	if err != nil {
		return nil, err
	}
	hidden, err := rec.open(master, name)
	if err != nil {
		return nil, err
	}
	hidden.Wipe() // it opens, which proves the record; it opens again when it is used
	return newMember(plain, e.Revision, &lazySecrets{name: name, record: rec, master: master})
}

func newMember(p plainProject, at Revision, s *lazySecrets) (*Member, error) {
	m := &Member{entry: at, aspID: p.ASPID, suspended: p.State != projectState(false),
		expires: make(map[AccessKey]time.Time, len(p.Credentials)), keys: make(map[KeyID]*RingKey, len(p.Keys)), secrets: s}
	for _, c := range p.Credentials {
		m.expires[c.AccessKey] = time.Time{}
		if c.ExpiresAt != nil {
			m.expires[c.AccessKey] = *c.ExpiresAt
		}
	}
	for _, pk := range p.Keys {
		k, err := pk.key(p.ASPID)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w: %w", s.name, ErrDamaged, err)
		}
		rk := &RingKey{key: k, secrets: s}
		m.keys[k.ID.fold()] = rk
		if k.State == Active {
			m.active = rk
		}
	}
	return m, nil
}

// Revision is the store's revision that the Ring shows.
func (r *Ring) Revision() Revision { return r.revision }

// Projects counts the projects.
func (r *Ring) Projects() int { return len(r.members) }

// ByAccessKey finds the project of an access key that has not expired at now.
func (r *Ring) ByAccessKey(k AccessKey, now time.Time) (*Member, bool) {
	m, ok := r.access[k]
	if !ok {
		return nil, false
	}
	if end := m.expires[k]; !end.IsZero() && !now.Before(end) {
		return nil, false
	}
	return m, true
}

// ASPID is the project's service provider.
func (m *Member) ASPID() ASPID { return m.aspID }

// Suspended tells whether all of the project's requests are refused.
func (m *Member) Suspended() bool { return m.suspended }

// Secret is the secret of one of the project's access keys.
func (m *Member) Secret(k AccessKey) (sensitive.Bytes, error) {
	s, err := m.secrets.get()
	if err != nil {
		return sensitive.Bytes{}, err
	}
	return s.credential[k], nil
}

// Key finds a key of this project by its id. A key of another project is not
// found, whoever asks.
func (m *Member) Key(id KeyID) (*RingKey, bool) {
	k, ok := m.keys[id.fold()]
	return k, ok
}

// Active is the project's active key.
func (m *Member) Active() (*RingKey, bool) { return m.active, m.active != nil }
