package keys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

func TestNewManagerWantsItsParts(t *testing.T) {
	for name, c := range map[string]struct {
		want  string
		spoil func(*keys.Config)
	}{
		"no store":       {"store", func(c *keys.Config) { c.Store = nil }},
		"no master key":  {"master key", func(c *keys.Config) { c.Master = envelope.Key{} }},
		"no key":         {"at least one key", func(c *keys.Config) { c.MaxPerProject = 0 }},
		"less than none": {"at least one key", func(c *keys.Config) { c.MaxPerProject = -1 }},
	} {
		parts := config(memstore.New())
		c.spoil(&parts)
		if m, err := keys.NewManager(t.Context(), parts); m != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNoClockIsTheSystemClock(t *testing.T) {
	c := config(memstore.New())
	c.Now = nil
	o := office{must(keys.NewManager(t.Context(), c)), c.Store}
	before := time.Now().Truncate(time.Second)
	o.addProject(t, alice)
	if at := must(o.Project(t.Context(), alice)).CreatedAt; at.Before(before) || at.After(time.Now()) {
		t.Errorf("created at %s", at)
	}
}

// acts are all acts of a manager, on a store with the project alice.
func acts(m *keys.Manager) map[string]func(context.Context, keys.Actor) error {
	return map[string]func(context.Context, keys.Actor) error{
		"project create": func(ctx context.Context, who keys.Actor) error {
			issued, err := m.CreateProject(ctx, who, keys.NewProject{ASPID: bob})
			return nothingBut(err, issued != keys.Issued{})
		},
		"project suspend": func(ctx context.Context, who keys.Actor) error {
			p, err := m.SuspendProject(ctx, who, alice)
			return nothingBut(err, p.ASPID != "")
		},
		"key create": func(ctx context.Context, who keys.Actor) error {
			k, err := m.CreateKey(ctx, who, newKey(alice, 0, 0))
			return nothingBut(err, k != keys.Key{})
		},
		"key import": func(ctx context.Context, who keys.Actor) error {
			k, err := m.ImportKey(ctx, who, newKey(alice, 1, 0))
			return nothingBut(err, k != keys.Key{})
		},
	}
}

var errResult = errors.New("an error and a result")

// nothingBut tells when an act gives out something beside its error.
func nothingBut(err error, result bool) error {
	if err != nil && result {
		return errResult
	}
	return err
}

// reads are all reading acts.
func reads(m *keys.Manager) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"project list": func(ctx context.Context) error { _, err := m.Projects(ctx); return err },
		"project show": func(ctx context.Context) error { _, err := m.Project(ctx, alice); return err },
		"key list":     func(ctx context.Context) error { _, err := m.Keys(ctx, ""); return err },
		"key show":     func(ctx context.Context) error { _, err := m.Key(ctx, keyID(5)); return err },
	}
}

func TestNobodyActsWithoutAName(t *testing.T) {
	o := newOffice(t)
	o.addProject(t, alice)
	for name, act := range acts(o.Manager) {
		for _, who := range []keys.Actor{{}, {Name: ""}, {Name: " \t"}} {
			if err := act(t.Context(), who); err == nil || errors.Is(err, errResult) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s by %q: %v", name, who.Name, err)
			}
		}
	}
	if r := o.load(t).Revision; r != 1 {
		t.Errorf("the store is at revision %d", r)
	}
	for name, act := range acts(o.Manager) {
		if err := act(t.Context(), operator); err != nil {
			t.Errorf("%s by somebody: %v", name, err)
		}
	}
}

func TestEndedContext(t *testing.T) {
	o := newOffice(t)
	o.addProject(t, alice)
	ended, end := context.WithCancel(t.Context())
	end()
	for name, act := range acts(o.Manager) {
		if err := act(ended, operator); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, read := range reads(o.Manager) {
		if err := read(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r := o.load(t).Revision; r != 1 {
		t.Errorf("the store is at revision %d", r)
	}
}

// storeWith is a store whose Load and Commit a test can replace.
type storeWith struct {
	keys.Store
	load   func(context.Context) (keys.Snapshot, error)
	commit func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error)
}

func (s *storeWith) Load(ctx context.Context) (keys.Snapshot, error) {
	if s.load != nil {
		return s.load(ctx)
	}
	return s.Store.Load(ctx)
}

func (s *storeWith) Commit(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
	if s.commit != nil {
		return s.commit(ctx, base, changes...)
	}
	return s.Store.Commit(ctx, base, changes...)
}

var errDisk = errors.New("no space left on device")

func TestFailingStore(t *testing.T) {
	s := &storeWith{Store: memstore.New()}
	o := officeOn(t, s)
	o.addProject(t, alice)
	s.commit = func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error) { return 0, errDisk }
	for name, act := range acts(o.Manager) {
		if err := act(t.Context(), operator); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "look what it holds") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	s.load = func(context.Context) (keys.Snapshot, error) { return keys.Snapshot{}, errDisk }
	for name, act := range acts(o.Manager) {
		if err := act(t.Context(), operator); !errors.Is(err, errDisk) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, read := range reads(o.Manager) {
		if err := read(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := keys.NewManager(t.Context(), config(s)); !errors.Is(err, errDisk) {
		t.Errorf("a new manager: got %v", err)
	}
}
