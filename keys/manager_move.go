package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PromoteKey makes a staged or suspended key the active one, after it was proven.
// The key that was active drains in the same commit, until the ends given; zero
// ends: until it is told otherwise. Errors: ErrNotFound, ErrRefused, *MoveError.
func (m *Manager) PromoteKey(ctx context.Context, who Actor, id KeyID, former Ends) (Key, error) {
	return m.move(ctx, act{who, "key promote", string(id)}, id, func(p *Project, i int, now time.Time) error {
		return m.promote(p, i, former, now)
	})
}

// SuspendKey takes an active or draining key out of use. A project whose active
// key is suspended has none until another is promoted. Errors: ErrNotFound,
// *MoveError.
func (m *Manager) SuspendKey(ctx context.Context, who Actor, id KeyID) (Key, error) {
	return m.move(ctx, act{who, "key suspend", string(id)}, id, func(p *Project, i int, now time.Time) error {
		return p.Keys[i].move(Suspend, now)
	})
}

// ResumeKey lets a suspended key drain on, without planned ends. Errors:
// ErrNotFound, *MoveError.
func (m *Manager) ResumeKey(ctx context.Context, who Actor, id KeyID) (Key, error) {
	return m.move(ctx, act{who, "key resume", string(id)}, id, func(p *Project, i int, now time.Time) error {
		return p.Keys[i].move(Resume, now)
	})
}

// RotateKey adds a key and promotes it, in one commit. Errors: those of CreateKey
// and PromoteKey.
func (m *Manager) RotateKey(ctx context.Context, who Actor, n NewKey, former Ends) (Key, error) {
	n.State = Staged
	return m.addKeyAnd(ctx, act{who, "key rotate", string(n.ID)}, n, func(p *Project, now time.Time) error {
		return m.promote(p, len(p.Keys)-1, former, now)
	})
}

// promote makes the key at i active and its predecessor drain.
func (m *Manager) promote(p *Project, i int, former Ends, now time.Time) error {
	former = former.recorded()
	if err := former.check(now); err != nil {
		return err
	}
	if _, err := p.Keys[i].State.After(Promote); err != nil {
		return fmt.Errorf("key %s: %w", p.Keys[i].ID, err)
	}
	if err := m.prove(p.Keys[i]); err != nil {
		return fmt.Errorf("key %s: %w: it does not work: %w", p.Keys[i].ID, ErrRefused, err)
	}
	for j := range p.Keys {
		if p.Keys[j].State != Active {
			continue
		}
		if err := p.Keys[j].move(Drain, now); err != nil {
			return err
		}
		p.Keys[j].Ends = former
	}
	return p.Keys[i].move(Promote, now)
}

// prove opens and seals with a key as requests would, before any of them depends
// on it.
func (m *Manager) prove(k Key) error {
	if m.c.Prove == nil {
		return errors.New("nobody here can prove a key")
	}
	server, err := k.serverPrivate()
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

// move is one step in the table of states. It forgets planned ends: a plan that
// was made for another state must not destroy anything.
func (k *Key) move(m Move, now time.Time) error {
	next, err := k.State.After(m)
	if err != nil {
		return fmt.Errorf("key %s: %w", k.ID, err)
	}
	k.State, k.Since, k.Ends = next, now, Ends{}
	return nil
}

// move changes a project by what do does to the key at an index of it.
func (m *Manager) move(ctx context.Context, a act, id KeyID, do func(p *Project, i int, now time.Time) error) (Key, error) {
	var out Key
	err := m.commit(ctx, a, func(v *view) (change, error) {
		owner, err := v.owner(id)
		if err != nil {
			return change{}, err
		}
		p, err := v.project(owner.ASPID)
		if err != nil {
			return change{}, err
		}
		i := slices.IndexFunc(p.Keys, func(k Key) bool { return k.ID.Equal(id) })
		if err := do(&p, i, v.now); err != nil {
			return change{}, err
		}
		out = p.shown().Keys[i]
		return change{project: p}, nil
	})
	if err != nil {
		return Key{}, err
	}
	return out, nil
}
