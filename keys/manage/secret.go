package manage

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// RotateSecret gives a project a new access key and secret. The pairs before work
// until the overlap is over, or until their own end if that is sooner; those that
// have ended leave the record. Errors: ErrNotFound, ErrRefused for a negative
// overlap.
func (m *Manager) RotateSecret(ctx context.Context, who keys.Actor, id keys.ASPID, overlap time.Duration) (Issued, error) {
	if overlap < 0 {
		return Issued{}, fmt.Errorf("project %s: %w: an overlap of %v", id, keys.ErrRefused, overlap)
	}
	fresh := Issued{ASPID: id, AccessKey: keys.NewAccessKey(), Secret: sensitive.New([]byte(rand.Text() + rand.Text()))}
	err := m.vault.Commit(ctx, act(who, "project rotate-secret", string(id)), func(v *vault.View) (vault.Change, error) {
		p, err := v.Project(id)
		if err != nil {
			return vault.Change{}, err
		}
		endCredentials(p.Credentials, v.Now.Add(overlap))
		p.AddCredential(keys.Credential{AccessKey: fresh.AccessKey, CreatedAt: v.Now}, fresh.Secret)
		return vault.Change{Project: p}, nil
	})
	if err != nil {
		return Issued{}, err
	}
	return fresh, nil
}

// endCredentials lets no pair work longer than until end.
func endCredentials(list []keys.Credential, end time.Time) {
	for i := range list {
		if c := &list[i]; c.ExpiresAt.IsZero() || c.ExpiresAt.After(end) {
			c.ExpiresAt = end
		}
	}
}
