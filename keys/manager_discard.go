package keys

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Use is how often, and when last, a project used a key in one direction with one
// pair of algorithms.
type Use struct {
	ASPID     ASPID     `json:"asp_id"`
	KeyID     KeyID     `json:"key_id"`
	Direction string    `json:"direction"` // "request" or "response"
	Alg       string    `json:"alg"`       // as "RSA-OAEP-256+A256GCM"
	Requests  uint64    `json:"requests"`
	LastUsed  time.Time `json:"last_used_at"`
}

// InUseError reports a key that somebody used too lately to be destroyed.
type InUseError struct {
	KeyID KeyID
	Quiet time.Duration
	By    []Use
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
func (m *Manager) DiscardKey(ctx context.Context, who Actor, id KeyID, force bool) (Key, error) {
	action := "key discard"
	if force {
		action += " --force"
	}
	return m.move(ctx, act{who, action, string(id)}, id, func(p *Project, i int, now time.Time) error {
		k := &p.Keys[i]
		if k.State == Discarded && k.private.Len() > 0 {
			return nil
		}
		if _, err := k.State.After(Discard); err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
		if !force {
			if err := m.unused(ctx, *k, now); err != nil {
				return err
			}
		}
		return k.move(Discard, now)
	})
}

// unused wants that nobody used a key lately.
func (m *Manager) unused(ctx context.Context, k Key, now time.Time) error {
	uses, err := m.c.Usage(ctx)
	if err != nil {
		return fmt.Errorf("key %s: %w: nobody can say whether it is in use: %w", k.ID, ErrRefused, err)
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
