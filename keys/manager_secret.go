package keys

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
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
		erase := p.settle(m.now())
		kept := p.endCredentials(m.now(), overlap)
		erase = erase || kept < len(p.Credentials)
		p.Credentials = append(p.Credentials[:kept:kept], Credential{AccessKey: fresh.AccessKey, CreatedAt: m.now(), secret: fresh.Secret})
		return change{project: p, erase: erase}, nil
	})
	if err != nil {
		return Issued{}, err
	}
	return fresh, nil
}

// endCredentials gives every pair its end, moves those that have ended to the
// back, and returns how many go on.
func (p *Project) endCredentials(now time.Time, overlap time.Duration) int {
	end := now.Add(overlap)
	for i := range p.Credentials {
		if c := &p.Credentials[i]; c.ExpiresAt.IsZero() || c.ExpiresAt.After(end) {
			c.ExpiresAt = end
		}
	}
	going := slices.Clone(p.Credentials)
	going = slices.DeleteFunc(going, func(c Credential) bool { return reached(c.ExpiresAt, now) })
	ended := slices.DeleteFunc(slices.Clone(p.Credentials), func(c Credential) bool { return !reached(c.ExpiresAt, now) })
	p.Credentials = append(going, ended...)
	return len(going)
}
