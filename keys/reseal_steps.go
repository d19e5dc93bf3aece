package keys

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"kmproxy/keys/internal/cores"
)

// begin notes the next key. It does nothing when that was done before.
func (s *resealing) begin(ctx context.Context) error {
	if s.seal.Next != nil {
		return nil
	}
	s.seal.Next = &NextSeal{KeyID: s.To.ID(), KDF: s.KDF}
	value, err := toJSON(s.seal)
	if err != nil {
		return fmt.Errorf("encoding the seal record: %w", err)
	}
	told, err := s.story(len(s.pending))
	if err != nil {
		return err
	}
	return s.commit(ctx, "seal rotate begin", told, Change{Name: sealName, Value: value})
}

func (s *resealing) batch(ctx context.Context, names []string) error {
	changes, failed := make([]Change, len(names)), make([]error, len(names))
	cores.Each(len(names), func(i int) {
		changes[i].Name = names[i]
		changes[i].Value, failed[i] = resealed(names[i], s.view.snap.Entries[names[i]].Value, s.From, s.To)
	})
	if err := cmp.Or(failed...); err != nil {
		return err
	}
	return s.commit(ctx, "seal rotate", story{}, changes...)
}

// finish makes the next key the store's. It erases the seal record's past, and
// with it that of all records.
func (s *resealing) finish(ctx context.Context) error {
	value, err := toJSON(SealRecord{KeyID: s.To.ID(), KDF: s.seal.Next.KDF, CreatedAt: s.now()})
	if err != nil {
		return fmt.Errorf("encoding the seal record: %w", err)
	}
	told, err := s.story(len(s.names))
	if err != nil {
		return err
	}
	return s.commit(ctx, "seal rotate end", told, Change{Name: sealName, Value: value, Erase: true})
}

// commit writes changes and their audit entry on top of what was looked at, and
// looks at what came of it.
func (s *resealing) commit(ctx context.Context, action string, told story, changes ...Change) error {
	entry, err := s.view.trail(s.chain, act{s.who, action, s.To.ID()}, s.now(), told, changes)
	if err != nil {
		return err
	}
	revision, err := s.Store.Commit(ctx, s.view.snap.Revision, append(changes, entry)...)
	if err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	if s.view.snap, err = s.Store.Load(ctx); err != nil {
		return fmt.Errorf("reading the store: %w", err)
	}
	if s.view.snap.Revision != revision {
		return fmt.Errorf("re-sealing: %w", ErrConflict)
	}
	return nil
}

// story is what the audit record tells people of it.
func (s *resealing) story(records int) (told story, err error) {
	if told.before, err = toJSON(map[string]any{"key_id": s.From.ID()}); err != nil {
		return told, err
	}
	told.after, err = toJSON(map[string]any{"key_id": s.To.ID(), "records": records})
	return told, err
}

func (s *resealing) now() time.Time { return s.Now().UTC().Truncate(time.Second) }
