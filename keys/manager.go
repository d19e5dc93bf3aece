package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kmproxy/crypto/envelope"
)

// Errors that callers of a Manager decide on.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already known here")
	ErrLimit    = errors.New("too many keys that are not discarded")
	ErrRefused  = errors.New("refused")
)

// Config is what a Manager works with.
type Config struct {
	Store         Store
	Master        envelope.Key
	KDF           *envelope.KDF // how Master was made from a passphrase; nil: it was not
	MaxPerProject int           // keys a project that are not discarded; at least 1
	Now           func() time.Time
}

// Manager makes every change to projects and keys. Each act is one commit: it
// happened, and lasts, or it did not. It is safe for concurrent use, also beside
// other Managers on the same store.
type Manager struct{ c Config }

// Actor is who asks for a change.
type Actor struct{ Name string }

// NewManager checks that the store, if it holds anything, is sealed under this
// master key.
func NewManager(ctx context.Context, c Config) (*Manager, error) {
	if c.MaxPerProject < 1 {
		return nil, errors.New("at least one key a project must be allowed")
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

// change is what an act decides on.
type change struct {
	project Project
	erase   bool // a secret leaves the record and must leave the disk
}

// commit is the one door that every change passes. It lets decide look at the
// newest state and puts the result on top of it; when somebody else was faster,
// decide looks again.
func (m *Manager) commit(ctx context.Context, a act, decide func(*view) (change, error)) error {
	if a.actor.Name == "" {
		return fmt.Errorf("%s %s: nobody is named as the one who asks", a.action, a.target)
	}
	for {
		v, err := m.view(ctx)
		if err != nil {
			return err
		}
		err = m.try(ctx, v, decide)
		if errors.Is(err, ErrConflict) && ctx.Err() == nil {
			continue
		}
		return err
	}
}

func (m *Manager) try(ctx context.Context, v *view, decide func(*view) (change, error)) error {
	c, err := decide(v)
	if err != nil {
		return err
	}
	changes, err := m.changes(v, c)
	if err != nil {
		return err
	}
	if _, err := m.c.Store.Commit(ctx, v.snap.Revision, changes...); err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	return nil
}

// changes encodes a decision; the first commit of a store also says what seals it.
func (m *Manager) changes(v *view, c change) ([]Change, error) {
	name := projectName(c.project.ASPID)
	value, err := encode(m.c.Master, c.project, v.plain[name].record.Version+1)
	if err != nil {
		return nil, err
	}
	out := []Change{{Name: name, Value: value, Erase: c.erase}}
	if v.sealed {
		return out, nil
	}
	seal, err := json.Marshal(SealRecord{KeyID: m.c.Master.ID(), KDF: m.c.KDF, CreatedAt: m.now()})
	if err != nil {
		return nil, fmt.Errorf("encoding the seal record: %w", err)
	}
	return append(out, Change{Name: sealName, Value: seal}), nil
}

// now is the clock in the records' precision.
func (m *Manager) now() time.Time { return m.c.Now().UTC().Truncate(time.Second) }
