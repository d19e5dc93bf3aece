package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kmproxy/keys"
	"kmproxy/keys/audit"
)

// maxTries is how often an act looks again because others were faster. Each time
// another commit succeeded, so that a store in order never comes near it.
const maxTries = 1000

// Act names a change for the audit record: who did what to what.
type Act struct {
	Actor  keys.Actor
	Action string
	Target string
}

// Change is what an act decides on: a project, other records, or both.
type Change struct {
	Project Project       // none if it has no ASP id
	Records []keys.Change // others, as they shall stand
	Entries []keys.Change // of the audit record, to stand before the entry of this change
	Told    Difference    // of a change of records; that of a project is made here
}

// Commit is the one door that every change passes. It lets decide look at the
// newest state and puts the result, with its audit entry, on top of it; when
// another writer was faster, decide looks again.
func (v *Vault) Commit(ctx context.Context, a Act, decide func(*View) (Change, error)) error {
	if strings.TrimSpace(a.Actor.Name) == "" {
		return fmt.Errorf("%s %s: nobody is named as the one who asks", a.Action, a.Target)
	}
	for range maxTries {
		view, err := v.View(ctx)
		if err != nil {
			return err
		}
		if err = v.try(ctx, view, a, decide); !errors.Is(err, keys.ErrConflict) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", a.Action, a.Target, context.Cause(ctx))
		}
	}
	return fmt.Errorf("%s %s: %w: %d times in a row; try again", a.Action, a.Target, keys.ErrConflict, maxTries)
}

func (v *Vault) try(ctx context.Context, view *View, a Act, decide func(*View) (Change, error)) error {
	c, err := decide(view)
	if err != nil {
		return err
	}
	changes, err := v.changes(view, a, c)
	if err != nil {
		return err
	}
	_, err = v.Store.Commit(ctx, view.Revision, changes...)
	if errors.Is(err, keys.ErrConflict) {
		return err
	}
	if err != nil {
		return fmt.Errorf("writing to the store (look what it holds before you try again): %w", err)
	}
	return nil
}

// changes encodes a decision and the audit entry of it; the first commit of a
// store also says what seals it.
func (v *Vault) changes(view *View, a Act, c Change) ([]keys.Change, error) {
	out := slices.Clone(c.Records)
	told := c.Told
	if c.Project.ASPID != "" {
		erase := c.Project.shed(view.Now) // what leaves the record must leave the disk
		value, err := encode(v.Master, c.Project)
		if err != nil {
			return nil, err
		}
		out = append(out, keys.Change{Name: ProjectName(c.Project.ASPID), Value: value, Erase: erase})
		if told, err = view.difference(c.Project.Project); err != nil {
			return nil, err
		}
	}
	key, first, err := v.foundation(view)
	if err != nil {
		return nil, err
	}
	out = append(out, first...)
	entry, err := view.after(c.Entries).AuditEntry(key, a, told, out)
	return append(append(out, c.Entries...), entry), err
}

// foundation is the audit chain's key; a store that holds nothing gets one, and
// the record that says what seals it.
func (v *Vault) foundation(view *View) (audit.Key, []keys.Change, error) {
	if view.sealed {
		key, err := view.AuditKey()
		return key, nil, err
	}
	seal, err := json.Marshal(keys.SealRecord{KeyID: v.Master.ID(), KDF: v.KDF, CreatedAt: view.Now})
	if err != nil {
		return audit.Key{}, nil, fmt.Errorf("encoding the seal record: %w", err)
	}
	key, chain, err := newAuditKey(v.Master)
	return key, []keys.Change{{Name: keys.SealName, Value: seal}, chain}, err
}
