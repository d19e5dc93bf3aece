package keystest

import (
	"context"
	"testing"
	"time"

	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

// Bench is an Office whose clock, proofs and uses a test decides on.
type Bench struct {
	Office
	Now    time.Time
	Proven []string
	Refuse error
	Used   []keys.Use
}

// NewBench has a project of Alice.
func NewBench(t testing.TB) *Bench {
	t.Helper()
	b := &Bench{Now: Morning}
	c := Config(memstore.New())
	c.Now = func() time.Time { return b.Now }
	c.Quiet = 168 * time.Hour
	c.MaxPerProject = 9
	c.Usage = func(context.Context) ([]keys.Use, error) { return b.Used, nil }
	c.Prove = func(server jwk.Private, _ jwk.Public) error {
		b.Proven = append(b.Proven, server.Public().Thumbprint())
		return b.Refuse
	}
	b.Office = Office{Must(manage.New(t.Context(), c)), c.Store}
	b.AddProject(t, Alice)
	return b
}

// States are those of the keys of Alice.
func (b *Bench) States(t *testing.T) []keys.State {
	t.Helper()
	var out []keys.State
	for _, k := range Must(b.Keys(t.Context(), Alice)) {
		out = append(out, k.State)
	}
	return out
}

// States are all states that a key can have.
var States = []keys.State{keys.Staged, keys.Active, keys.Draining, keys.Suspended, keys.Discarded}
