package keys

import (
	"fmt"
	"slices"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/sensitive"
)

// plainProject is the readable part of a record. A member that a later version
// adds must be left out where it is empty: a record that does not come out as it
// went in is not changed.
type plainProject struct {
	ASPID       ASPID             `json:"asp_id"`
	Name        string            `json:"name,omitempty"`
	State       string            `json:"state"` // "active" or "suspended"
	CreatedAt   time.Time         `json:"created_at"`
	ClientPin   string            `json:"client_pin,omitempty"` // hex
	Credentials []plainCredential `json:"credentials"`
	Keys        []plainKey        `json:"keys"`
}

type plainCredential struct {
	AccessKey AccessKey  `json:"access_key"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

type plainKey struct {
	ID        KeyID     `json:"key_id"`
	State     string    `json:"state"`
	CreatedAt time.Time `json:"created_at"`
	Since     time.Time `json:"since"`
	Ends
	Algs      []string `json:"algs"`
	Encs      []string `json:"encs"`
	ServerPEM string   `json:"server_public_key"`
	ClientPEM string   `json:"client_public_key"`
}

// secrets is what a record seals.
type secrets struct {
	SecretKeys  map[AccessKey][]byte `json:"secret_keys"`
	PrivateKeys map[KeyID][]byte     `json:"private_keys"`
}

func plainOf(p Project) plainProject {
	out := plainProject{ASPID: p.ASPID, Name: p.Name, State: projectState(p.Suspended), CreatedAt: p.CreatedAt, ClientPin: p.ClientPin.String(),
		Credentials: []plainCredential{}, Keys: []plainKey{}}
	for _, c := range p.Credentials {
		pc := plainCredential{AccessKey: c.AccessKey, CreatedAt: c.CreatedAt}
		if !c.ExpiresAt.IsZero() {
			pc.ExpiresAt = &c.ExpiresAt
		}
		out.Credentials = append(out.Credentials, pc)
	}
	for _, k := range p.Keys {
		algs, encs := k.Allowed.Names()
		out.Keys = append(out.Keys, plainKey{ID: k.ID, State: k.State.String(), CreatedAt: k.CreatedAt, Since: k.Since, Ends: k.Ends,
			Algs: algs, Encs: encs, ServerPEM: k.ServerPEM, ClientPEM: k.ClientPEM})
	}
	return out
}

func secretsOf(p Project) secrets {
	s := secrets{SecretKeys: map[AccessKey][]byte{}, PrivateKeys: map[KeyID][]byte{}}
	for _, c := range p.Credentials {
		s.SecretKeys[c.AccessKey] = c.secret.Expose()
	}
	for _, k := range p.Keys {
		if k.private.Len() > 0 {
			s.PrivateKeys[k.ID] = k.private.Expose()
		}
	}
	return s
}

// project joins the plain part and the secrets, whose bytes it takes over. With
// no secrets it is the project as it may be shown. Every state but "active"
// suspends, also one that a later version may write.
func (p plainProject) project(s secrets) (Project, error) {
	out := Project{ASPID: p.ASPID, Name: p.Name, Suspended: p.State != projectState(false), CreatedAt: p.CreatedAt}
	if p.ClientPin != "" { // what cannot be read must not count as none
		var err error
		if out.ClientPin, err = ParsePin(p.ClientPin); err != nil {
			return Project{}, err
		}
	}
	for _, c := range p.Credentials {
		oc := Credential{AccessKey: c.AccessKey, CreatedAt: c.CreatedAt, secret: secretOf(s.SecretKeys, c.AccessKey)}
		if c.ExpiresAt != nil {
			oc.ExpiresAt = *c.ExpiresAt
		}
		out.Credentials = append(out.Credentials, oc)
	}
	for _, k := range p.Keys {
		ok, err := k.key(p.ASPID)
		if err != nil {
			return Project{}, err
		}
		ok.private = secretOf(s.PrivateKeys, k.ID)
		out.Keys = append(out.Keys, ok)
	}
	return out, nil
}

func secretOf[ID comparable](of map[ID][]byte, id ID) sensitive.Bytes {
	if b := of[id]; len(b) > 0 {
		return sensitive.New(b)
	}
	return sensitive.Bytes{}
}

// key reads everything but the private half.
func (k plainKey) key(owner ASPID) (Key, error) {
	state, err := ParseState(k.State)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	allowed, err := alg.ParseSet(k.Algs, k.Encs)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	return Key{ID: k.ID, ASPID: owner, State: state, CreatedAt: k.CreatedAt, Since: k.Since, Ends: k.Ends, Allowed: allowed,
		ServerPEM: k.ServerPEM, ClientPEM: k.ClientPEM}, nil
}

func (p plainProject) has(id KeyID) bool {
	return slices.ContainsFunc(p.Keys, func(k plainKey) bool { return k.ID.Equal(id) })
}

func projectState(suspended bool) string {
	if suspended {
		return "suspended"
	}
	return "active"
}
