package vault

import (
	"fmt"
	"slices"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/keys"
)

// plainProject is the readable part of a record. A member that a later version
// adds must be left out where it is empty: a record that does not come out as it
// went in is not changed.
type plainProject struct {
	ASPID       keys.ASPID        `json:"asp_id"`
	Name        string            `json:"name,omitempty"`
	State       string            `json:"state"` // "active" or "suspended"
	CreatedAt   time.Time         `json:"created_at"`
	ClientPin   string            `json:"client_pin,omitempty"` // hex
	Credentials []plainCredential `json:"credentials"`
	Keys        []plainKey        `json:"keys"`
}

type plainCredential struct {
	AccessKey keys.AccessKey `json:"access_key"`
	CreatedAt time.Time      `json:"created_at"`
	ExpiresAt *time.Time     `json:"expires_at,omitempty"`
}

type plainKey struct {
	ID        keys.KeyID `json:"key_id"`
	State     string     `json:"state"`
	CreatedAt time.Time  `json:"created_at"`
	Since     time.Time  `json:"since"`
	keys.Ends
	Algs      []string `json:"algs"`
	Encs      []string `json:"encs"`
	ServerPEM string   `json:"server_public_key"`
	ClientPEM string   `json:"client_public_key"`
}

func plainOf(p keys.Project) plainProject {
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

// project is what the plain part tells. Every state but "active" suspends, also
// one that a later version may write.
func (p plainProject) project() (keys.Project, error) {
	out := keys.Project{ASPID: p.ASPID, Name: p.Name, Suspended: p.State != projectState(false), CreatedAt: p.CreatedAt}
	if p.ClientPin != "" { // what cannot be read must not count as none
		var err error
		if out.ClientPin, err = keys.ParsePin(p.ClientPin); err != nil {
			return keys.Project{}, err
		}
	}
	for _, c := range p.Credentials {
		oc := keys.Credential{AccessKey: c.AccessKey, CreatedAt: c.CreatedAt}
		if c.ExpiresAt != nil {
			oc.ExpiresAt = *c.ExpiresAt
		}
		out.Credentials = append(out.Credentials, oc)
	}
	for _, k := range p.Keys {
		ok, err := k.key(p.ASPID)
		if err != nil {
			return keys.Project{}, err
		}
		out.Keys = append(out.Keys, ok)
	}
	return out, nil
}

func (k plainKey) key(owner keys.ASPID) (keys.Key, error) {
	state, err := keys.ParseState(k.State)
	if err != nil {
		return keys.Key{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	allowed, err := alg.ParseSet(k.Algs, k.Encs)
	if err != nil {
		return keys.Key{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	return keys.Key{ID: k.ID, ASPID: owner, State: state, CreatedAt: k.CreatedAt, Since: k.Since, Ends: k.Ends, Allowed: allowed,
		ServerPEM: k.ServerPEM, ClientPEM: k.ClientPEM}, nil
}

// has reports whether the record says that it has a key.
func (p plainProject) has(id keys.KeyID) bool {
	return slices.ContainsFunc(p.Keys, func(k plainKey) bool { return k.ID.Equal(id) })
}

func projectState(suspended bool) string {
	if suspended {
		return "suspended"
	}
	return "active"
}
