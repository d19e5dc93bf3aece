package reseal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/internal/cores"
	"kmproxy/keys/internal/vault"
)

// begin notes the next key. It does nothing when that was done before.
func (s *resealing) begin(ctx context.Context) error {
	if s.seal.Next != nil {
		return nil
	}
	s.seal.Next = &keys.NextSeal{KeyID: s.To.ID(), KDF: s.KDF}
	value, err := vault.JSON(s.seal)
	if err != nil {
		return fmt.Errorf("encoding the seal record: %w", err)
	}
	diff, err := s.difference(len(s.pending))
	if err != nil {
		return err
	}
	return s.commit(ctx, "seal rotate begin", diff, keys.Change{Name: keys.SealName, Value: value})
}

// batch re-seals as many of the first of names as fit in one commit, and returns how
// many. If the commit is too large, it has half as many, and then half of those.
func (s *resealing) batch(ctx context.Context, names []string) (int, error) {
	changes, err := s.resealed(names)
	if err != nil {
		return 0, err
	}
	n := len(changes)
	err = s.commit(ctx, "seal rotate", vault.Difference{}, changes...)
	for n > 1 && errors.Is(err, keys.ErrTooLarge) {
		n /= 2
		err = s.commit(ctx, "seal rotate", vault.Difference{}, changes[:n]...)
	}
	return n, err
}

// resealed are the changes that seal records under the next key.
func (s *resealing) resealed(names []string) ([]keys.Change, error) {
	changes, failed := make([]keys.Change, len(names)), make([]error, len(names))
	cores.Each(len(names), func(i int) {
		changes[i].Name = names[i]
		changes[i].Value, failed[i] = vault.Resealed(names[i], s.view.Entries[names[i]].Value, s.From, s.To)
	})
	return changes, cmp.Or(failed...)
}

// finish makes the next key the store's. It erases the seal record's past, and
// with it that of all records.
func (s *resealing) finish(ctx context.Context) error {
	value, err := vault.JSON(keys.SealRecord{KeyID: s.To.ID(), KDF: s.seal.Next.KDF, CreatedAt: s.now()})
	if err != nil {
		return fmt.Errorf("encoding the seal record: %w", err)
	}
	diff, err := s.difference(len(s.names))
	if err != nil {
		return err
	}
	return s.commit(ctx, "seal rotate end", diff, keys.Change{Name: keys.SealName, Value: value, Erase: true})
}

// commit writes changes and their audit entry on top of what was looked at, and
// looks at what came of it.
func (s *resealing) commit(ctx context.Context, action string, diff vault.Difference, changes ...keys.Change) error {
	s.view.Now = s.now()
	entry, err := s.view.AuditEntry(s.chain, vault.Act{Actor: s.who, Action: action, Target: s.To.ID()}, diff, changes)
	if err != nil {
		return err
	}
	revision, err := s.Store.Commit(ctx, s.view.Snapshot.Revision, append(slices.Clone(changes), entry)...)
	if err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	if s.view.Snapshot, err = s.Store.Load(ctx); err != nil {
		return fmt.Errorf("reading the store: %w", err)
	}
	if s.view.Snapshot.Revision != revision {
		return fmt.Errorf("re-sealing: %w", keys.ErrConflict)
	}
	return nil
}

// difference is what the audit record tells people of it.
func (s *resealing) difference(records int) (diff vault.Difference, err error) {
	if diff.Before, err = vault.JSON(map[string]any{"key_id": s.From.ID()}); err != nil {
		return diff, err
	}
	diff.After, err = vault.JSON(map[string]any{"key_id": s.To.ID(), "records": records})
	return diff, err
}

func (s *resealing) now() time.Time { return s.Now().UTC().Truncate(time.Second) }
