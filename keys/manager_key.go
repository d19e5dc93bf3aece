package keys

import (
	"context"
	"crypto/rsa"
	"fmt"
	"time"

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
// known here is refused, discarded ones too. Errors: ErrID, ErrNotFound,
// ErrExists, ErrLimit, ErrRefused, jwk.ErrKey.
func (m *Manager) CreateKey(ctx context.Context, who Actor, n NewKey) (Key, error) {
	return m.addKeyAnd(ctx, act{who, "key create", string(n.ID)}, n, nil)
}

// ImportKey adopts a crypto key that is in use elsewhere, by the same rules.
func (m *Manager) ImportKey(ctx context.Context, who Actor, n NewKey) (Key, error) {
	return m.addKeyAnd(ctx, act{who, "key import", string(n.ID)}, n, nil)
}

// addKeyAnd adds a key and does something more to its project, which may be nil,
// in the same commit.
func (m *Manager) addKeyAnd(ctx context.Context, a act, n NewKey, then func(*Project, time.Time) error) (Key, error) {
	key, err := n.key()
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", a.action, err)
	}
	defer key.private.Wipe()
	var out Key
	err = m.commit(ctx, a, func(v *view) (change, error) {
		if err := key.isNew(v); err != nil {
			return change{}, err
		}
		p, err := v.project(n.ASPID)
		if err != nil {
			return change{}, err
		}
		key.CreatedAt, key.Since = v.now, v.now
		if key.State, err = m.admitState(p, n.State); err != nil {
			return change{}, err
		}
		p.Keys = append(p.Keys, key)
		if then != nil {
			if err := then(&p, v.now); err != nil {
				return change{}, err
			}
		}
		out = p.shown().Keys[len(p.Keys)-1]
		return change{project: p}, nil
	})
	if err != nil {
		return Key{}, err
	}
	return out, nil
}

// isNew refuses an id or a server pair that was ever known here, and a pair that
// serves on one side and is a client's on the other.
func (k Key) isNew(v *view) error {
	projects, err := v.all()
	if err != nil {
		return err
	}
	if other, known := projects.key(func(o Key) bool { return o.ID.Equal(k.ID) }); known {
		return fmt.Errorf("key id %s is %w, in project %s", k.ID, ErrExists, other.ASPID)
	}
	if other, known := projects.key(func(o Key) bool { return o.ServerPEM == k.ServerPEM }); known {
		return fmt.Errorf("the server key pair is %w, as that of key %s: a pair serves under one key id", ErrExists, other.ID)
	}
	crossed := func(o Key) bool { return o.ServerPEM == k.ClientPEM || o.ClientPEM == k.ServerPEM }
	if other, known := projects.key(crossed); known {
		return fmt.Errorf("%w: one of its halves stands on the other side of key %s", ErrRefused, other.ID)
	}
	return nil
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

// key checks the id and both halves, and encodes them.
func (n NewKey) key() (Key, error) {
	if _, err := ParseKeyID(string(n.ID)); err != nil {
		return Key{}, err
	}
	private, err := jwk.NewPrivate(n.Server, alg.All())
	if err != nil {
		return Key{}, fmt.Errorf("the server key: %w", err)
	}
	client, err := jwk.NewPublic(n.Client, alg.All())
	if err != nil {
		return Key{}, fmt.Errorf("the client key: %w", err)
	}
	if n.Client.N.Cmp(n.Server.N) == 0 { // with another exponent too: who has one half makes the other
		return Key{}, fmt.Errorf("%w: server and client have the same key", ErrRefused)
	}
	der, err := jwk.PrivateDER(n.Server)
	if err != nil {
		return Key{}, fmt.Errorf("the server key: %w: %w", jwk.ErrKey, err)
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
