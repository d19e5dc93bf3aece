package keys

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"kmproxy/crypto/sensitive"
)

// RotateSecret gives a project a new access key and secret. The pairs before work
// until the overlap is over, or until their own end if that is sooner; those that
// have ended leave the record. Errors: ErrNotFound, ErrRefused for a negative
// overlap.
func (m *Manager) RotateSecret(ctx context.Context, who Actor, id ASPID, overlap time.Duration) (Issued, error) {
	if overlap < 0 {
		return Issued{}, fmt.Errorf("project %s: %w: an overlap of %v", id, ErrRefused, overlap)
	}
	fresh := Issued{ASPID: id, AccessKey: newAccessKey(), Secret: sensitive.New([]byte(rand.Text() + rand.Text()))}
	err := m.commit(ctx, act{who, "project rotate-secret", string(id)}, func(v *view) (change, error) {
		p, err := v.project(id)
		if err != nil {
			return change{}, err
		}
		p.endCredentials(v.now.Add(overlap))
		p.Credentials = append(p.Credentials, Credential{AccessKey: fresh.AccessKey, CreatedAt: v.now, secret: fresh.Secret})
		return change{project: p}, nil
	})
	if err != nil {
		return Issued{}, err
	}
	return fresh, nil
}

// endCredentials lets no pair work longer than until end.
func (p *Project) endCredentials(end time.Time) {
	for i := range p.Credentials {
		if c := &p.Credentials[i]; c.ExpiresAt.IsZero() || c.ExpiresAt.After(end) {
			c.ExpiresAt = end
		}
	}
}
