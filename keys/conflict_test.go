package keys_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

// TestConflictsAreTriedAgain: each time somebody else was faster, with something
// that the act must take into account.
func TestConflictsAreTriedAgain(t *testing.T) {
	const conflicts = 5
	inner := memstore.New()
	s := &storeWith{Store: inner}
	o, other := officeOn(t, s), officeOn(t, inner)
	o.addProject(t, alice)
	tries := 0
	s.commit = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
		if tries++; tries <= conflicts {
			other.addProject(t, keys.ASPID("Faster00000000"+string(rune('0'+tries))))
		}
		return inner.Commit(ctx, base, changes...)
	}
	key := o.addKey(t, alice, 0, 0)
	if tries != conflicts+1 || key.State != keys.Active {
		t.Errorf("%d tries, state %s", tries, key.State)
	}
	if all := must(o.Projects(t.Context())); len(all) != 1+conflicts {
		t.Errorf("%d projects are left", len(all))
	}
}

// TestConflictChangesTheDecision: what was right before the conflict is not after.
func TestConflictChangesTheDecision(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(office)
		act       func(office) (keys.State, error)
		state     keys.State
		err       error
	}{
		"another key became active": {
			func(o office) { o.addKey(t, alice, 1, 0) },
			func(o office) (keys.State, error) {
				k, err := o.CreateKey(bg, operator, newKey(alice, 0, 0))
				return k.State, err
			}, keys.Staged, nil,
		},
		"another key became active, and this one must be": {
			func(o office) { o.addKey(t, alice, 1, 0) },
			func(o office) (keys.State, error) {
				k, err := o.CreateKey(bg, operator, newKey(alice, 0, keys.Active))
				return k.State, err
			}, 0, keys.ErrRefused,
		},
		"the limit was reached": {
			func(o office) { o.addKey(t, alice, 1, 0); o.addKey(t, alice, 2, 0) },
			func(o office) (keys.State, error) {
				k, err := o.CreateKey(bg, operator, newKey(alice, 0, 0))
				return k.State, err
			}, 0, keys.ErrLimit,
		},
		"the same key came": {
			func(o office) { o.addKey(t, alice, 0, 0) },
			func(o office) (keys.State, error) {
				k, err := o.CreateKey(bg, operator, newKey(alice, 0, 0))
				return k.State, err
			}, 0, keys.ErrExists,
		},
		"the project came": {
			func(o office) { o.addProject(t, bob) },
			func(o office) (keys.State, error) {
				_, err := o.CreateProject(bg, operator, keys.NewProject{ASPID: bob})
				return 0, err
			}, 0, keys.ErrExists,
		},
		"the project was suspended": {
			func(o office) { must(o.SuspendProject(bg, operator, alice)) },
			func(o office) (keys.State, error) {
				_, err := o.SuspendProject(bg, operator, alice)
				return 0, err
			}, 0, keys.ErrRefused,
		},
	} {
		inner := memstore.New()
		s := &storeWith{Store: inner}
		o, other := officeOn(t, s), officeOn(t, inner)
		o.addProject(t, alice)
		s.commit = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
			s.commit = nil
			c.meanwhile(other)
			return inner.Commit(ctx, base, changes...)
		}
		if state, err := c.act(o); state != c.state || !errors.Is(err, c.err) {
			t.Errorf("%s: got %s, %v", name, state, err)
		}
	}
}

// TestEndlessConflicts: a store out of order does not keep an act for ever, and
// neither does it outlive its context.
func TestEndlessConflicts(t *testing.T) {
	s := &storeWith{Store: memstore.New()}
	o := officeOn(t, s)
	o.addProject(t, alice)
	tries := 0
	s.commit = func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error) {
		tries++
		return 0, keys.ErrConflict
	}
	_, err := o.SuspendProject(t.Context(), operator, alice)
	if !errors.Is(err, keys.ErrConflict) || !strings.Contains(err.Error(), "project suspend "+string(alice)) || tries < 100 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	reason := errors.New("the operator went home")
	ctx, end := context.WithCancelCause(t.Context())
	s.commit = func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error) {
		end(reason)
		return 0, keys.ErrConflict
	}
	if _, err := o.SuspendProject(ctx, operator, alice); !errors.Is(err, reason) || errors.Is(err, keys.ErrConflict) {
		t.Errorf("got %v", err)
	}
}
