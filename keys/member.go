package keys

import (
	"fmt"
	"time"

	"kmproxy/crypto/sensitive"
)

// Member is a project as requests see it.
type Member struct {
	aspID     ASPID
	suspended bool
	pin       Pin
	expires   map[AccessKey]time.Time
	keys      map[KeyID]*RingKey
	active    *RingKey
	secrets   *lazySecrets
}

func newMember(p Project, s *lazySecrets) *Member {
	m := &Member{aspID: p.ASPID, suspended: p.Suspended, pin: p.ClientPin,
		expires: make(map[AccessKey]time.Time, len(p.Credentials)), keys: make(map[KeyID]*RingKey, len(p.Keys)), secrets: s}
	for _, c := range p.Credentials {
		m.expires[c.AccessKey] = c.ExpiresAt
	}
	for _, k := range p.Keys {
		rk := &RingKey{key: k, secrets: s}
		m.keys[k.ID.fold()] = rk
		if k.State == Active {
			m.active = rk
		}
	}
	return m
}

// ASPID is the project's service provider.
func (m *Member) ASPID() ASPID { return m.aspID }

// Suspended tells whether all of the project's requests are refused.
func (m *Member) Suspended() bool { return m.suspended }

// Pin names the only client certificate's key that may speak for the project.
func (m *Member) Pin() Pin { return m.pin }

// Secret is the secret of one of the project's access keys, expired or not. It
// is shared and must not be wiped. Errors: ErrNotFound, ErrDamaged.
func (m *Member) Secret(k AccessKey) (sensitive.Bytes, error) {
	s, err := m.secrets.get()
	if err != nil {
		return sensitive.Bytes{}, err
	}
	secret, ok := s.credential[k]
	if !ok {
		return sensitive.Bytes{}, fmt.Errorf("project %s: the secret of access key %s: %w", m.aspID, k, ErrNotFound)
	}
	return secret, nil
}

// Key finds a key of this project by its id. A key of another project is not
// found, whoever asks.
func (m *Member) Key(id KeyID) (*RingKey, bool) {
	k, ok := m.keys[id.fold()]
	return k, ok
}

// Active is the project's active key.
func (m *Member) Active() (*RingKey, bool) { return m.active, m.active != nil }
