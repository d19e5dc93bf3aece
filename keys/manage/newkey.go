package manage

import (
	"context"
	"crypto/rsa"
	"fmt"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// NewKey is a crypto key to be made or brought along.
type NewKey struct {
	ID     keys.KeyID // chosen by the caller, who may have to name files after it
	ASPID  keys.ASPID
	Server *rsa.PrivateKey // requests are encrypted to its public half
	Client *rsa.PublicKey  // answers are encrypted to it
	State  keys.State      // 0: Active if the project has no active key, else Staged
}

// CreateKey adds a crypto key to a project. A server pair or an id that was ever
// known here is refused, discarded ones too. Errors: ErrID, ErrNotFound,
// ErrExists, ErrLimit, ErrRefused, jwk.ErrKey.
func (m *Manager) CreateKey(ctx context.Context, who keys.Actor, n NewKey) (keys.Key, error) {
	return m.addKeyAnd(ctx, act(who, "key create", string(n.ID)), n, nil)
}

// ImportKey adopts a crypto key that is in use elsewhere, by the same rules.
func (m *Manager) ImportKey(ctx context.Context, who keys.Actor, n NewKey) (keys.Key, error) {
	return m.addKeyAnd(ctx, act(who, "key import", string(n.ID)), n, nil)
}

// addKeyAnd adds a key and does something more to its project, which may be nil,
// in the same commit.
func (m *Manager) addKeyAnd(ctx context.Context, a vault.Act, n NewKey, then func(*vault.Project, time.Time) error) (keys.Key, error) {
	key, private, err := n.key()
	if err != nil {
		return keys.Key{}, fmt.Errorf("%s: %w", a.Action, err)
	}
	defer private.Wipe()
	var out keys.Key
	err = m.vault.Commit(ctx, a, func(v *vault.View) (vault.Change, error) {
		if err := isNew(key, v); err != nil {
			return vault.Change{}, err
		}
		p, err := v.Project(n.ASPID)
		if err != nil {
			return vault.Change{}, err
		}
		key.CreatedAt, key.Since = v.Now, v.Now
		if key.State, err = m.admitState(p.Project, n.State); err != nil {
			return vault.Change{}, err
		}
		p.AddKey(key, private)
		if then != nil {
			if err := then(&p, v.Now); err != nil {
				return vault.Change{}, err
			}
		}
		out = p.Keys[len(p.Keys)-1]
		return vault.Change{Project: p}, nil
	})
	if err != nil {
		return keys.Key{}, err
	}
	return out, nil
}

// isNew refuses an id or a server pair that was ever known here, and a pair that
// serves on one side and is a client's on the other.
func isNew(k keys.Key, v *vault.View) error {
	projects, err := v.All()
	if err != nil {
		return err
	}
	if other, known := projects.Key(func(o keys.Key) bool { return o.ID.Equal(k.ID) }); known {
		return fmt.Errorf("key id %s is %w, in project %s", k.ID, keys.ErrExists, other.ASPID)
	}
	if other, known := projects.Key(func(o keys.Key) bool { return o.ServerPEM == k.ServerPEM }); known {
		return fmt.Errorf("the server key pair is %w, as that of key %s: a pair serves under one key id", keys.ErrExists, other.ID)
	}
	crossed := func(o keys.Key) bool { return o.ServerPEM == k.ClientPEM || o.ClientPEM == k.ServerPEM }
	if other, known := projects.Key(crossed); known {
		return fmt.Errorf("%w: one of its halves stands on the other side of key %s", keys.ErrRefused, other.ID)
	}
	return nil
}

// admitState is the state in which a key may join a project.
func (m *Manager) admitState(p keys.Project, wanted keys.State) (keys.State, error) {
	if p.Live() >= m.c.MaxPerProject {
		return 0, fmt.Errorf("project %s has %d keys: %w", p.ASPID, p.Live(), keys.ErrLimit)
	}
	active, has := p.Active()
	switch {
	case wanted == 0 && has:
		return keys.Staged, nil
	case wanted == 0:
		return keys.Active, nil
	case wanted == keys.Active && has:
		return 0, fmt.Errorf("project %s: %w: key %s is active already", p.ASPID, keys.ErrRefused, active.ID)
	case wanted == keys.Discarded || !wanted.Valid():
		return 0, fmt.Errorf("project %s: %w: no key begins as %s", p.ASPID, keys.ErrRefused, wanted)
	}
	return wanted, nil
}

// key checks the id and both halves, and encodes them. The server's private half is
// in PKCS#8; the caller wipes it.
func (n NewKey) key() (keys.Key, sensitive.Bytes, error) {
	var none sensitive.Bytes
	if _, err := keys.ParseKeyID(string(n.ID)); err != nil {
		return keys.Key{}, none, err
	}
	server, err := jwk.NewPrivate(n.Server, alg.All())
	if err != nil {
		return keys.Key{}, none, fmt.Errorf("the server key: %w", err)
	}
	client, err := jwk.NewPublic(n.Client, alg.All())
	if err != nil {
		return keys.Key{}, none, fmt.Errorf("the client key: %w", err)
	}
	if n.Client.N.Cmp(n.Server.N) == 0 { // with another exponent too: one half makes the other
		return keys.Key{}, none, fmt.Errorf("%w: server and client have the same key", keys.ErrRefused)
	}
	key, err := n.shown(server.Public(), client)
	if err != nil {
		return keys.Key{}, none, err
	}
	der, err := jwk.PrivateDER(n.Server)
	if err != nil {
		return keys.Key{}, none, fmt.Errorf("the server key: %w: %w", jwk.ErrKey, err)
	}
	return key, der, nil
}

func (n NewKey) shown(server, client jwk.Public) (keys.Key, error) {
	serverPEM, err := server.PEM()
	if err != nil {
		return keys.Key{}, err
	}
	clientPEM, err := client.PEM()
	if err != nil {
		return keys.Key{}, err
	}
	return keys.Key{ID: n.ID, ASPID: n.ASPID, Allowed: alg.All(), ServerPEM: string(serverPEM), ClientPEM: string(clientPEM)}, nil
}
