package manage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// InUseError reports a key that somebody used too lately to be destroyed.
type InUseError struct {
	KeyID keys.KeyID
	Quiet time.Duration
	By    []keys.Use
}

func (e *InUseError) Error() string {
	var by []string
	for _, u := range e.By {
		by = append(by, fmt.Sprintf("%s (%s with %s, last at %s)", u.ASPID, u.Direction, u.Alg, u.LastUsed.UTC().Format(time.RFC3339)))
	}
	return fmt.Sprintf("key %s was used within the last %v by %s", e.KeyID, e.Quiet, strings.Join(by, ", "))
}

// DiscardKey destroys a staged or suspended key's private half for good and keeps
// a tombstone, so that the id and the pair never come back. Without force it is
// refused while the key was used within Config.Quiet, or nobody can say. A key
// whose planned end has come, but which nothing has written down since, is
// destroyed now. Errors: ErrNotFound, ErrRefused, *MoveError, *InUseError.
func (m *Manager) DiscardKey(ctx context.Context, who keys.Actor, id keys.KeyID, force bool) (keys.Key, error) {
	action := "key discard"
	if force {
		action += " --force"
	}
	return m.move(ctx, act(who, action, string(id)), id, func(p *vault.Project, i int, now time.Time) error {
		k := &p.Keys[i]
		if _, there := p.Private(k.ID); there && k.State == keys.Discarded {
			return nil
		}
		if _, err := k.State.After(keys.Discard); err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
		if !force {
			if err := m.unused(ctx, *k, now); err != nil {
				return err
			}
		}
		return k.Move(keys.Discard, now)
	})
}

// unused wants that nobody used a key lately.
func (m *Manager) unused(ctx context.Context, k keys.Key, now time.Time) error {
	uses, err := m.c.Usage(ctx)
	if err != nil {
		return fmt.Errorf("key %s: %w: nobody can say whether it is in use: %w", k.ID, keys.ErrRefused, err)
	}
	e := &InUseError{KeyID: k.ID, Quiet: m.c.Quiet}
	for _, u := range uses {
		if u.KeyID.Equal(k.ID) && now.Sub(u.LastUsed) < m.c.Quiet {
			e.By = append(e.By, u)
		}
	}
	if len(e.By) > 0 {
		return e
	}
	return nil
}
