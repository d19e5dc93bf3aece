package keystest

import (
	"context"
	"errors"

	"kmproxy/keys"
	"kmproxy/keys/manage"
)

// Acts are all acts of a manager, on a store with the project Alice.
func Acts(m *manage.Manager) map[string]func(context.Context, keys.Actor) error {
	return map[string]func(context.Context, keys.Actor) error{
		"project create": func(ctx context.Context, who keys.Actor) error {
			issued, err := m.CreateProject(ctx, who, manage.NewProject{ASPID: Bob})
			return nothingBut(err, issued != manage.Issued{})
		},
		"project suspend": func(ctx context.Context, who keys.Actor) error {
			p, err := m.SuspendProject(ctx, who, Alice)
			return nothingBut(err, p.ASPID != "")
		},
		"key create": func(ctx context.Context, who keys.Actor) error {
			k, err := m.CreateKey(ctx, who, NewKey(Alice, 0, 0))
			return nothingBut(err, k != keys.Key{})
		},
		"key import": func(ctx context.Context, who keys.Actor) error {
			k, err := m.ImportKey(ctx, who, NewKey(Alice, 1, 0))
			return nothingBut(err, k != keys.Key{})
		},
	}
}

// ErrResult reports an act that gave out something beside its error.
var ErrResult = errors.New("an error and a result")

// nothingBut reports when an act gives out something beside its error.
func nothingBut(err error, result bool) error {
	if err != nil && result {
		return ErrResult
	}
	return err
}

// Reads are all reading acts.
func Reads(m *manage.Manager) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"project list": func(ctx context.Context) error { _, err := m.Projects(ctx); return err },
		"project show": func(ctx context.Context) error { _, err := m.Project(ctx, Alice); return err },
		"key list":     func(ctx context.Context) error { _, err := m.Keys(ctx, ""); return err },
		"key show":     func(ctx context.Context) error { _, err := m.Key(ctx, KeyID(5)); return err },
	}
}
