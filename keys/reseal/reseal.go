package reseal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
	"kmproxy/keys/internal/vault"
)

// resealBatch is how many records a commit re-seals at least: few enough that
// another process waits for milliseconds, and enough that the disk is not what it
// waits for. What a commit costs beside its records grows with the store: a large
// one is re-sealed in resealCommits.
const (
	resealBatch   = 500
	resealCommits = 40
)

// Job brings a store under another master key. It may end at any point, by
// its context or by the loss of the process: the same Job goes on from there.
//
// The first commit notes the next key beside the one that seals the store, and
// from then on nobody else changes anything. Each of the next re-seals a batch
// of records. The last makes the next key the store's, and leaves nothing in the
// store's files that is sealed under the former. All of them are audited.
type Job struct {
	Store    keys.Store
	From     envelope.Key // the one that seals the store; not needed once it is done
	To       envelope.Key
	KDF      *envelope.KDF         // how To is made from a passphrase; nil: it is not
	Now      func() time.Time      // nil: time.Now
	Batch    int                   // records a commit; 0: 500, and of a large store more; fewer if the Store takes no more
	Progress func(done, total int) // after each commit, in records; nil: nobody wants it
}

// Run re-seals what is not re-sealed yet and returns how many records the store
// seals. A store that is sealed under To already stays as it is. It refuses a
// store whose audit record does not hold or that has a record which does not
// open, before it changes anything: re-sealing would make it look genuine.
//
// Errors: ErrResealing when another key is the next one already,
// envelope.ErrOtherKey when From is not the store's, ErrDamaged,
// audit.ErrBroken, ErrRefused for a store that holds nothing, those of the store
// and of ctx.
func (r Job) Run(ctx context.Context, who keys.Actor) (records int, err error) {
	if strings.TrimSpace(who.Name) == "" {
		return 0, errors.New("seal rotate: nobody is named as the one who asks")
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Progress == nil {
		r.Progress = func(int, int) {}
	}
	for {
		records, err = r.run(ctx, who)
		if !errors.Is(err, keys.ErrConflict) || ctx.Err() != nil {
			return records, err // a conflict is somebody who does the same: go on from where that one is
		}
	}
}

func (r Job) run(ctx context.Context, who keys.Actor) (int, error) {
	s, err := r.look(ctx, who)
	if err != nil || s.seal.KeyID == r.To.ID() {
		return len(s.names), err
	}
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	total := len(s.names)
	done := total - len(s.pending)
	r.Progress(done, total)
	most := r.batchSize(total)
	for rest := s.pending; len(rest) > 0; {
		n, err := s.batch(ctx, rest[:min(most, len(rest))])
		if err != nil {
			return 0, fmt.Errorf("%d of %d records are re-sealed; the same command goes on from here: %w", done, total, err)
		}
		rest, done, most = rest[n:], done+n, n
		r.Progress(done, total)
	}
	return total, s.finish(ctx)
}

// batchSize is how many records a commit re-seals at most. Beside them, it has an audit
// entry.
func (r Job) batchSize(total int) int {
	size := r.Batch
	if size == 0 {
		size = max(resealBatch, total/resealCommits)
	}
	if most := r.Store.Limits().Changes; most > 0 {
		size = min(size, most-1)
	}
	return max(size, 1)
}

// resealing is one run over a store, and what it knows of it.
type resealing struct {
	Job
	who     keys.Actor
	view    *vault.View
	seal    keys.SealRecord
	names   []string // of all records with a sealed part
	pending []string // of those that are not sealed under To
	chain   audit.Key
}

// look reads the store and proves all that will be trusted.
func (r Job) look(ctx context.Context, who keys.Actor) (*resealing, error) {
	s := &resealing{Job: r, who: who}
	snap, err := r.Store.Load(ctx)
	if err != nil {
		return s, fmt.Errorf("reading the store: %w", err)
	}
	s.view = vault.NewView(snap, r.From, r.Now())
	if s.seal, err = r.check(snap); err != nil {
		return s, err
	}
	if s.names, err = vault.SealedNames(snap); err != nil || s.seal.KeyID == r.To.ID() {
		return s, err
	}
	if err = s.sort(); err != nil {
		return s, err
	}
	return s, s.prove()
}

// check finds out whether From and To are what this store wants.
func (r Job) check(snap keys.Snapshot) (keys.SealRecord, error) {
	seal, ok, err := keys.ReadSeal(snap)
	switch {
	case err != nil:
		return seal, err
	case !ok:
		return seal, fmt.Errorf("%w: the store holds nothing yet, and the first change seals it", keys.ErrRefused)
	case seal.Next != nil && seal.Next.KeyID != r.To.ID():
		return seal, fmt.Errorf("%w: the one under way is %s, this is %s: finish that first", seal.Resealing(), seal.Next.KeyID, r.To.ID())
	case seal.KeyID != r.To.ID() && seal.KeyID != r.From.ID():
		return seal, fmt.Errorf("the store is %w: it wants %s, the configured one is %s", envelope.ErrOtherKey, seal.KeyID, r.From.ID())
	}
	return seal, nil
}

// sort finds the records that are to be re-sealed, and the key that opens the
// audit chain's.
func (s *resealing) sort() error {
	under, failed := make([]string, len(s.names)), make([]error, len(s.names))
	cores.Each(len(s.names), func(i int) { under[i], failed[i] = vault.SealedBy(s.names[i], s.view.Entries[s.names[i]].Value) })
	if err := cmp.Or(failed...); err != nil {
		return err
	}
	for i, name := range s.names {
		switch {
		case under[i] != s.To.ID():
			s.pending = append(s.pending, name)
		case name == vault.AuditKeyName:
			s.view.Master = s.To
		}
	}
	return nil
}

// prove wants an audit record that holds and, before the first change, every
// record to open.
func (s *resealing) prove() (err error) {
	if s.chain, err = s.view.AuditKey(); err != nil {
		return err
	}
	failed := s.view.VerifyTrail()
	if s.seal.Next == nil {
		failed = errors.Join(failed, s.view.OpenSealed(s.names))
	}
	return failed
}

// SealedUnder counts the records with a sealed part by the id of the master key
// that they are sealed under. Errors: keys.ErrDamaged, keys.ErrRefused.
func SealedUnder(s keys.Snapshot) (map[string]int, error) { return vault.SealedUnder(s) }
