package keys

import (
	"context"
	"crypto/rsa"
	"fmt"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
)

// NewKey is a crypto key to be made or brought along.
type NewKey struct {
	ID     KeyID // chosen by the caller, who may have to name files after it
	ASPID  ASPID
	Server *rsa.PrivateKey // requests are encrypted to its public half
	Client *rsa.PublicKey  // answers are encrypted to it
	State  State           // 0: Active if the project has no active key, else Staged
}

// CreateKey adds a crypto key to a project. A server pair or an id that was ever
// known here is refused, discarded ones too. Errors: ErrNotFound, ErrExists,
// ErrLimit, ErrRefused, jwk.ErrKey.
func (m *Manager) CreateKey(ctx context.Context, who Actor, n NewKey) (Key, error) {
	return m.addKey(ctx, act{who, "key create", string(n.ID)}, n)
}

// ImportKey adopts a crypto key that is in use elsewhere, by the same rules.
func (m *Manager) ImportKey(ctx context.Context, who Actor, n NewKey) (Key, error) {
	return m.addKey(ctx, act{who, "key import", string(n.ID)}, n)
}

func (m *Manager) addKey(ctx context.Context, a act, n NewKey) (Key, error) {
	key, err := n.key()
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", a.action, err)
	}
	key.CreatedAt = m.now()
	key.Since = key.CreatedAt
	err = m.commit(ctx, a, func(v *view) (change, error) {
		if owner, known := v.keyOwner(n.ID); known {
			return change{}, fmt.Errorf("key id %s is %w, in project %s", n.ID, ErrExists, owner)
		}
		if v.serverKnown(key.ServerPEM) {
			return change{}, fmt.Errorf("the server key pair is %w: a pair serves under one key id", ErrExists)
		}
		p, err := v.project(n.ASPID)
		if err != nil {
			return change{}, err
		}
		if key.State, err = m.admitState(p, n.State); err != nil {
			return change{}, err
		}
		p.Keys = append(p.Keys, key)
		return change{project: p}, nil
	})
	return key, err
}

// admitState is the state in which a key may join a project.
func (m *Manager) admitState(p Project, wanted State) (State, error) {
	if p.Live() >= m.c.MaxPerProject {
		return 0, fmt.Errorf("project %s has %d keys: %w", p.ASPID, p.Live(), ErrLimit)
	}
	active, has := p.Active()
	switch {
	case wanted == 0 && has:
		return Staged, nil
	case wanted == 0:
		return Active, nil
	case wanted == Active && has:
		return 0, fmt.Errorf("project %s: %w: key %s is active already", p.ASPID, ErrRefused, active.ID)
	case wanted == Discarded || !wanted.Valid():
		return 0, fmt.Errorf("project %s: %w: no key begins as %s", p.ASPID, ErrRefused, wanted)
	}
	return wanted, nil
}

// key checks both halves and encodes them.
func (n NewKey) key() (Key, error) {
	private, err := jwk.NewPrivate(n.Server, alg.All())
	if err != nil {
		return Key{}, fmt.Errorf("the server key: %w", err)
	}
	client, err := jwk.NewPublic(n.Client, alg.All())
	if err != nil {
		return Key{}, fmt.Errorf("the client key: %w", err)
	}
	if client.Equal(private.Public()) {
		return Key{}, fmt.Errorf("%w: server and client have the same key", ErrRefused)
	}
	der, err := jwk.PrivateDER(n.Server)
	if err != nil {
		return Key{}, err
	}
	return newKey(n, private.Public(), client, der)
}

func newKey(n NewKey, server, client jwk.Public, private sensitive.Bytes) (Key, error) {
	serverPEM, err := server.PEM()
	if err != nil {
		return Key{}, err
	}
	clientPEM, err := client.PEM()
	if err != nil {
		return Key{}, err
	}
	return Key{ID: n.ID, ASPID: n.ASPID, Allowed: alg.All(),
		ServerPEM: string(serverPEM), ClientPEM: string(clientPEM), private: private}, nil
}

// Keys returns the crypto keys of one project, or of all with an empty id, by
// project in the order they were issued. Its error is ErrNotFound.
func (m *Manager) Keys(ctx context.Context, of ASPID) ([]Key, error) {
	projects, err := m.some(ctx, of)
	if err != nil {
		return nil, err
	}
	var out []Key
	for _, p := range projects {
		out = append(out, p.Keys...)
	}
	return out, nil
}

// Key returns one crypto key. Its error is ErrNotFound.
func (m *Manager) Key(ctx context.Context, id KeyID) (Key, error) {
	v, err := m.view(ctx)
	if err != nil {
		return Key{}, err
	}
	owner, ok := v.keyOwner(id)
	if !ok {
		return Key{}, fmt.Errorf("key %s: %w", id, ErrNotFound)
	}
	p, err := v.project(owner)
	if err != nil {
		return Key{}, err
	}
	for _, k := range p.Keys {
		if k.ID.Equal(id) {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("key %s: %w", id, ErrNotFound)
}

func (m *Manager) some(ctx context.Context, of ASPID) ([]Project, error) {
	if of == "" {
		return m.Projects(ctx)
	}
	p, err := m.Project(ctx, of)
	return []Project{p}, err
}
