package manage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

func TestNewManagerWantsItsParts(t *testing.T) {
	for name, c := range map[string]struct {
		want  string
		spoil func(*manage.Config)
	}{
		"no store":       {"store", func(c *manage.Config) { c.Store = nil }},
		"no master key":  {"master key", func(c *manage.Config) { c.Master = envelope.Key{} }},
		"no key":         {"at least one key", func(c *manage.Config) { c.MaxPerProject = 0 }},
		"less than none": {"at least one key", func(c *manage.Config) { c.MaxPerProject = -1 }},
	} {
		parts := keystest.Config(memstore.New())
		c.spoil(&parts)
		if m, err := manage.New(t.Context(), parts); m != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNoClockIsTheSystemClock(t *testing.T) {
	c := keystest.Config(memstore.New())
	c.Now = nil
	o := keystest.Office{Manager: keystest.Must(manage.New(t.Context(), c)), Store: c.Store}
	before := time.Now().Truncate(time.Second)
	o.AddProject(t, keystest.Alice)
	if at := keystest.Must(o.Project(t.Context(), keystest.Alice)).CreatedAt; at.Before(before) || at.After(time.Now()) {
		t.Errorf("created at %s", at)
	}
}

func TestNobodyActsWithoutAName(t *testing.T) {
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	for name, act := range keystest.Acts(o.Manager) {
		for _, who := range []keys.Actor{{}, {Name: ""}, {Name: " \t"}} {
			if err := act(t.Context(), who); err == nil || errors.Is(err, keystest.ErrResult) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s by %q: %v", name, who.Name, err)
			}
		}
	}
	if r := o.Load(t).Revision; r != 1 {
		t.Errorf("the store is at revision %d", r)
	}
	for name, act := range keystest.Acts(o.Manager) {
		if err := act(t.Context(), keystest.Operator); err != nil {
			t.Errorf("%s by somebody: %v", name, err)
		}
	}
}

func TestEndedContext(t *testing.T) {
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	ended, end := context.WithCancel(t.Context())
	end()
	for name, act := range keystest.Acts(o.Manager) {
		if err := act(ended, keystest.Operator); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, read := range keystest.Reads(o.Manager) {
		if err := read(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r := o.Load(t).Revision; r != 1 {
		t.Errorf("the store is at revision %d", r)
	}
}

func TestFailingStore(t *testing.T) {
	s := &keystest.StoreWith{Store: memstore.New()}
	o := keystest.OfficeOn(t, s)
	o.AddProject(t, keystest.Alice)
	s.Committing = func(context.Context, keys.Revision, ...keys.Change) (keys.Revision, error) {
		return 0, keystest.ErrDisk
	}
	for name, act := range keystest.Acts(o.Manager) {
		if err := act(t.Context(), keystest.Operator); !errors.Is(err, keystest.ErrDisk) || !strings.Contains(err.Error(), "look what it holds") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	s.Loading = func(context.Context) (keys.Snapshot, error) { return keys.Snapshot{}, keystest.ErrDisk }
	for name, act := range keystest.Acts(o.Manager) {
		if err := act(t.Context(), keystest.Operator); !errors.Is(err, keystest.ErrDisk) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, read := range keystest.Reads(o.Manager) {
		if err := read(t.Context()); !errors.Is(err, keystest.ErrDisk) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := manage.New(t.Context(), keystest.Config(s)); !errors.Is(err, keystest.ErrDisk) {
		t.Errorf("a new manager: got %v", err)
	}
}
