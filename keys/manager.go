package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/keys/audit"
)

// Errors that callers of a Manager decide on.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already known here")
	ErrLimit    = errors.New("too many keys that are not discarded")
	ErrRefused  = errors.New("refused")
)

// maxTries is how often an act looks again because others were faster. Each time
// somebody's commit succeeded, so that a store in order never comes near it.
const maxTries = 1000

// Config is what a Manager works with.
type Config struct {
	Store         Store            // required
	Master        envelope.Key     // required
	KDF           *envelope.KDF    // how Master was made from a passphrase; nil: it was not
	MaxPerProject int              // keys a project that are not discarded; at least 1
	Now           func() time.Time // nil: time.Now
	Quiet         time.Duration    // a key that was used within it is not discarded
	// Prove opens and seals with a key by the code that requests use. Without it no
	// key can be promoted.
	Prove func(server jwk.Private, client jwk.Public) error
	// Usage tells who used which key. nil: nobody did.
	Usage func(context.Context) ([]Use, error)
}

// Manager makes every change to projects and keys. Each act is one commit: it
// happened, and lasts, or it did not. It is safe for concurrent use, also beside
// other Managers on the same store.
//
// All acts can fail with ErrDamaged, with envelope.ErrOtherKey, and with the
// store's own errors; after one of those in writing, the store tells what is so.
type Manager struct{ c Config }

// Actor is who asks for a change.
type Actor struct{ Name string }

// NewManager checks that the store, if it holds anything, is sealed under this
// master key.
func NewManager(ctx context.Context, c Config) (*Manager, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("a manager of keys needs a store")
	case c.Master.ID() == "":
		return nil, errors.New("a manager of keys needs a master key")
	case c.MaxPerProject < 1:
		return nil, errors.New("at least one key a project must be allowed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Usage == nil {
		c.Usage = func(context.Context) ([]Use, error) { return nil, nil }
	}
	snap, err := c.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if _, err := checkSeal(snap, c.Master); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return &Manager{c}, nil
}

// act names a change for the record: who did what to what.
type act struct {
	actor  Actor
	action string
	target string
}

// change is what an act decides on: a project, other records, or both.
type change struct {
	project Project  // none if it has no ASP id
	records []Change // others, as they shall stand
	entries []Change // of the audit record, to stand before the entry of this change
	told    story    // for a change of records; that of a project is made here
}

// commit is the one door that every change passes. It lets decide look at the
// newest state and puts the result on top of it; when somebody else was faster,
// decide looks again.
func (m *Manager) commit(ctx context.Context, a act, decide func(*view) (change, error)) error {
	if strings.TrimSpace(a.actor.Name) == "" {
		return fmt.Errorf("%s %s: nobody is named as the one who asks", a.action, a.target)
	}
	for range maxTries {
		v, err := m.view(ctx)
		if err != nil {
			return err
		}
		if err = m.try(ctx, v, a, decide); !errors.Is(err, ErrConflict) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", a.action, a.target, context.Cause(ctx))
		}
	}
	return fmt.Errorf("%s %s: %w: %d times in a row; try again", a.action, a.target, ErrConflict, maxTries)
}

func (m *Manager) try(ctx context.Context, v *view, a act, decide func(*view) (change, error)) error {
	c, err := decide(v)
	if err != nil {
		return err
	}
	changes, err := m.changes(v, a, c)
	if err != nil {
		return err
	}
	_, err = m.c.Store.Commit(ctx, v.snap.Revision, changes...)
	if errors.Is(err, ErrConflict) {
		return err
	}
	if err != nil {
		return fmt.Errorf("writing to the store (look what it holds before you try again): %w", err)
	}
	return nil
}

// changes encodes a decision and the audit entry of it; the first commit of a
// store also says what seals it.
func (m *Manager) changes(v *view, a act, c change) ([]Change, error) {
	out := slices.Clone(c.records)
	told := c.told
	if c.project.ASPID != "" {
		erase := c.project.shed(v.now) // what leaves the record must leave the disk
		value, err := encode(m.c.Master, c.project)
		if err != nil {
			return nil, err
		}
		out = append(out, Change{Name: projectName(c.project.ASPID), Value: value, Erase: erase})
		if told, err = v.storyOf(c.project); err != nil {
			return nil, err
		}
	}
	key, first, err := m.foundation(v)
	if err != nil {
		return nil, err
	}
	out = append(out, first...)
	entry, err := v.behind(c.entries).trail(key, a, v.now, told, out)
	return append(append(out, c.entries...), entry), err
}

// foundation is the audit chain's key; a store that holds nothing gets one, and
// the record that says what seals it.
func (m *Manager) foundation(v *view) (audit.Key, []Change, error) {
	if v.sealed {
		key, err := v.auditKey()
		return key, nil, err
	}
	seal, err := json.Marshal(SealRecord{KeyID: m.c.Master.ID(), KDF: m.c.KDF, CreatedAt: v.now})
	if err != nil {
		return audit.Key{}, nil, fmt.Errorf("encoding the seal record: %w", err)
	}
	key, chain, err := newAuditKey(m.c.Master)
	return key, []Change{{Name: sealName, Value: seal}, chain}, err
}

// now is the clock in the records' precision.
func (m *Manager) now() time.Time { return m.c.Now().UTC().Truncate(time.Second) }
