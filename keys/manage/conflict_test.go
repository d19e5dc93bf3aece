package manage_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

// TestConflictsAreTriedAgain: each time somebody else was faster, with something
// that the act keystest.Must take into account.
func TestConflictsAreTriedAgain(t *testing.T) {
	const conflicts = 5
	inner := memstore.New()
	s := &keystest.StoreWith{Store: inner}
	o, other := keystest.OfficeOn(t, s), keystest.OfficeOn(t, inner)
	o.AddProject(t, keystest.Alice)
	tries := 0
	s.Committing = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
		if tries++; tries <= conflicts {
			other.AddProject(t, keys.ASPID("Faster00000000"+string(rune('0'+tries))))
		}
		return inner.Commit(ctx, base, changes...)
	}
	key := o.AddKey(t, keystest.Alice, 0, 0)
	if tries != conflicts+1 || key.State != keys.Active {
		t.Errorf("%d tries, state %s", tries, key.State)
	}
	if all := keystest.Must(o.Projects(t.Context())); len(all) != 1+conflicts {
		t.Errorf("%d projects are left", len(all))
	}
}

// TestConflictChangesTheDecision: what was right before the conflict is not after.
func TestConflictChangesTheDecision(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(keystest.Office)
		act       func(keystest.Office) (keys.State, error)
		state     keys.State
		err       error
	}{
		"another key became active": {
			func(o keystest.Office) { o.AddKey(t, keystest.Alice, 1, 0) },
			func(o keystest.Office) (keys.State, error) {
				k, err := o.CreateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 0, 0))
				return k.State, err
			}, keys.Staged, nil,
		},
		"another key became active, and this one keystest.Must be": {
			func(o keystest.Office) { o.AddKey(t, keystest.Alice, 1, 0) },
			func(o keystest.Office) (keys.State, error) {
				k, err := o.CreateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 0, keys.Active))
				return k.State, err
			}, 0, keys.ErrRefused,
		},
		"the limit was reached": {
			func(o keystest.Office) { o.AddKey(t, keystest.Alice, 1, 0); o.AddKey(t, keystest.Alice, 2, 0) },
			func(o keystest.Office) (keys.State, error) {
				k, err := o.CreateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 0, 0))
				return k.State, err
			}, 0, keys.ErrLimit,
		},
		"the same key came": {
			func(o keystest.Office) { o.AddKey(t, keystest.Alice, 0, 0) },
			func(o keystest.Office) (keys.State, error) {
				k, err := o.CreateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 0, 0))
				return k.State, err
			}, 0, keys.ErrExists,
		},
		"the project came": {
			func(o keystest.Office) { o.AddProject(t, keystest.Bob) },
			func(o keystest.Office) (keys.State, error) {
				_, err := o.CreateProject(keystest.Background, keystest.Operator, manage.NewProject{ASPID: keystest.Bob})
				return 0, err
			}, 0, keys.ErrExists,
		},
		"the project was suspended": {
			func(o keystest.Office) {
				keystest.Must(o.SuspendProject(keystest.Background, keystest.Operator, keystest.Alice))
			},
			func(o keystest.Office) (keys.State, error) {
				_, err := o.SuspendProject(keystest.Background, keystest.Operator, keystest.Alice)
				return 0, err
			}, 0, keys.ErrRefused,
		},
	} {
		inner := memstore.New()
		s := &keystest.StoreWith{Store: inner}
		o, other := keystest.OfficeOn(t, s), keystest.OfficeOn(t, inner)
		o.AddProject(t, keystest.Alice)
		s.Committing = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
			s.Committing = nil
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
	s := &keystest.StoreWith{Store: memstore.New()}
	o := keystest.OfficeOn(t, s)
	o.AddProject(t, keystest.Alice)
	tries := 0
	s.Committing = func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error) {
		tries++
		return 0, keys.ErrConflict
	}
	_, err := o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice)
	if !errors.Is(err, keys.ErrConflict) || !strings.Contains(err.Error(), "project suspend "+string(keystest.Alice)) || tries < 100 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	reason := errors.New("the keystest.Operator went home")
	ctx, end := context.WithCancelCause(t.Context())
	s.Committing = func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error) {
		end(reason)
		return 0, keys.ErrConflict
	}
	if _, err := o.SuspendProject(ctx, keystest.Operator, keystest.Alice); !errors.Is(err, reason) || errors.Is(err, keys.ErrConflict) {
		t.Errorf("got %v", err)
	}
}
