package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// PromoteKey makes a staged or suspended key the active one, after it was proven.
// The key that was active drains in the same commit, until the ends given; zero
// ends: until it is told otherwise. Errors: ErrNotFound, ErrRefused, *MoveError.
func (m *Manager) PromoteKey(ctx context.Context, who keys.Actor, id keys.KeyID, former keys.Ends) (keys.Key, error) {
	return m.move(ctx, act(who, "key promote", string(id)), id, func(p *vault.Project, i int, now time.Time) error {
		return m.promote(p, i, former, now)
	})
}

// SuspendKey takes an active or draining key out of use. A project whose active
// key is suspended has none until another is promoted. Errors: ErrNotFound,
// *MoveError.
func (m *Manager) SuspendKey(ctx context.Context, who keys.Actor, id keys.KeyID) (keys.Key, error) {
	return m.move(ctx, act(who, "key suspend", string(id)), id, func(p *vault.Project, i int, now time.Time) error {
		return p.Keys[i].Move(keys.Suspend, now)
	})
}

// ResumeKey lets a suspended key drain on, without planned ends. Errors:
// ErrNotFound, *MoveError.
func (m *Manager) ResumeKey(ctx context.Context, who keys.Actor, id keys.KeyID) (keys.Key, error) {
	return m.move(ctx, act(who, "key resume", string(id)), id, func(p *vault.Project, i int, now time.Time) error {
		return p.Keys[i].Move(keys.Resume, now)
	})
}

// RotateKey adds a key and promotes it, in one commit. Errors: those of CreateKey
// and PromoteKey.
func (m *Manager) RotateKey(ctx context.Context, who keys.Actor, n NewKey, former keys.Ends) (keys.Key, error) {
	n.State = keys.Staged
	return m.addKeyAnd(ctx, act(who, "key rotate", string(n.ID)), n, func(p *vault.Project, now time.Time) error {
		return m.promote(p, len(p.Keys)-1, former, now)
	})
}

// promote makes the key at i active and its predecessor drain.
func (m *Manager) promote(p *vault.Project, i int, former keys.Ends, now time.Time) error {
	former = former.Recorded()
	if err := former.Check(now); err != nil {
		return err
	}
	if _, err := p.Keys[i].State.After(keys.Promote); err != nil {
		return fmt.Errorf("key %s: %w", p.Keys[i].ID, err)
	}
	private, _ := p.Private(p.Keys[i].ID)
	if err := m.prove(p.Keys[i], private); err != nil {
		return fmt.Errorf("key %s: %w: it does not work: %w", p.Keys[i].ID, keys.ErrRefused, err)
	}
	for j := range p.Keys {
		if p.Keys[j].State != keys.Active {
			continue
		}
		if err := p.Keys[j].Move(keys.Drain, now); err != nil {
			return err
		}
		p.Keys[j].Ends = former
	}
	return p.Keys[i].Move(keys.Promote, now)
}

// prove opens and seals with a key as requests would, before any of them depends
// on it.
func (m *Manager) prove(k keys.Key, private sensitive.Bytes) error {
	if m.c.Prove == nil {
		return errors.New("nobody here can prove a key")
	}
	server, err := serverOf(k, private)
	if err != nil {
		return err
	}
	told, err := k.Server()
	if err != nil {
		return err
	}
	if !told.Equal(server.Public()) {
		return errors.New("the public half that is given out is not that of its private half")
	}
	client, err := k.Client()
	if err != nil {
		return err
	}
	return m.c.Prove(server, client)
}

func serverOf(k keys.Key, private sensitive.Bytes) (jwk.Private, error) {
	rsaKey, err := jwk.ParsePrivateDER(private)
	if err != nil {
		return jwk.Private{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	return jwk.NewPrivate(rsaKey, k.Allowed)
}

// move changes a project by what do does to the key at an index of it.
func (m *Manager) move(ctx context.Context, a vault.Act, id keys.KeyID, do func(p *vault.Project, i int, now time.Time) error) (keys.Key, error) {
	var out keys.Key
	err := m.vault.Commit(ctx, a, func(v *vault.View) (vault.Change, error) {
		owner, err := v.Owner(id)
		if err != nil {
			return vault.Change{}, err
		}
		p, err := v.Project(owner.ASPID)
		if err != nil {
			return vault.Change{}, err
		}
		i := slices.IndexFunc(p.Keys, func(k keys.Key) bool { return k.ID.Equal(id) })
		if err := do(&p, i, v.Now); err != nil {
			return vault.Change{}, err
		}
		out = p.Shown().Keys[i]
		return vault.Change{Project: p}, nil
	})
	if err != nil {
		return keys.Key{}, err
	}
	return out, nil
}
