package ring

import (
	"fmt"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

// Member is a project as requests see it.
type Member struct {
	aspID     keys.ASPID
	suspended bool
	pin       keys.Pin
	expires   map[keys.AccessKey]time.Time
	byID      map[keys.KeyID]*Key
	active    *Key
	secrets   *lazySecrets
}

func newMember(p keys.Project, s *lazySecrets) *Member {
	m := &Member{aspID: p.ASPID, suspended: p.Suspended, pin: p.ClientPin,
		expires: make(map[keys.AccessKey]time.Time, len(p.Credentials)), byID: make(map[keys.KeyID]*Key, len(p.Keys)), secrets: s}
	for _, c := range p.Credentials {
		m.expires[c.AccessKey] = c.ExpiresAt
	}
	for _, k := range p.Keys {
		rk := &Key{key: k, secrets: s}
		m.byID[k.ID.Fold()] = rk
		if k.State == keys.Active {
			m.active = rk
		}
	}
	return m
}

// ASPID is the project's service provider.
func (m *Member) ASPID() keys.ASPID { return m.aspID }

// Suspended reports whether all of the project's requests are refused.
func (m *Member) Suspended() bool { return m.suspended }

// Pin names the only client certificate's key that may speak for the project.
func (m *Member) Pin() keys.Pin { return m.pin }

// Secret is the secret of one of the project's access keys, expired or not. It
// is shared and must not be wiped. Errors: ErrNotFound, ErrDamaged.
func (m *Member) Secret(k keys.AccessKey) (sensitive.Bytes, error) {
	s, err := m.secrets.get()
	if err != nil {
		return sensitive.Bytes{}, err
	}
	secret, ok := s.Credential(k)
	if !ok {
		return sensitive.Bytes{}, fmt.Errorf("project %s: the secret of access key %s: %w", m.aspID, k, keys.ErrNotFound)
	}
	return secret, nil
}

// Key finds a key of this project by its id. A key of another project is not
// found, whoever asks.
func (m *Member) Key(id keys.KeyID) (*Key, bool) {
	k, ok := m.byID[id.Fold()]
	return k, ok
}

// Active is the project's active key.
func (m *Member) Active() (*Key, bool) { return m.active, m.active != nil }
