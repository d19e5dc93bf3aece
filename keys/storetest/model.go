package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"kmproxy/keys"
)

const modelSteps = 200

// matchesMap commits at random, through either handle, and keeps a map beside it.
func matchesMap(t *testing.T, a, b keys.Backend) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 0))
		base := load(t, a)
		want := content{}
		for name, e := range base.Entries {
			want[name] = written{string(e.Value), e.Revision}
		}
		m := model{random: random, rev: base.Revision, want: want}
		for range modelSteps {
			m.step(t, pick(random, a, b))
			wantContent(t, load(t, pick(random, a, b)), m.rev, m.want)
			if t.Failed() {
				t.Fatalf("at revision %d with seed %d", m.rev, seed)
			}
		}
	}
}

type model struct {
	random *rand.Rand
	rev    keys.Revision
	want   content
}

// step makes one commit, one in four on a base that is not the newest.
func (m *model) step(t *testing.T, s keys.Store) {
	t.Helper()
	base, next := m.rev, maps.Clone(m.want)
	if m.random.IntN(4) == 0 {
		base += keys.Revision(m.random.IntN(5)) - 2 // two behind (or far ahead) to two ahead
	}
	changes := m.changes(next)
	rev, err := s.Commit(t.Context(), base, changes...)
	switch {
	case base != m.rev && errors.Is(err, keys.ErrConflict):
	case base == m.rev && err == nil && rev == m.rev+1:
		m.rev, m.want = rev, next
	default:
		t.Fatalf("commit on revision %d of %d gave revision %d and %v", base, m.rev, rev, err)
	}
}

// changes makes up some changes and applies them to next.
func (m *model) changes(next content) []keys.Change {
	var changes []keys.Change
	for _, i := range m.random.Perm(12)[:1+m.random.IntN(4)] {
		c := keys.Change{Name: fmt.Sprintf("entry/%d", i), Erase: m.random.IntN(16) == 0}
		if m.random.IntN(3) > 0 {
			c.Value = fmt.Appendf(nil, `{"n":%d,"pad":%q}`, m.random.Uint64(), strings.Repeat(`}"],\é`, m.random.IntN(40)))
		}
		if delete(next, c.Name); c.Value != nil {
			next[c.Name] = written{string(c.Value), m.rev + 1}
		}
		changes = append(changes, c)
	}
	return changes
}

func pick(random *rand.Rand, a, b keys.Store) keys.Store {
	if random.IntN(2) == 0 {
		return a
	}
	return b
}
