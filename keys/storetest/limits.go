package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kmproxy/keys"
)

// A store without limits takes at least these.
const (
	manyChanges = 1000
	manyBytes   = 4 << 20
)

// withinLimits commits as much as the store says that it takes, in each measure.
func withinLimits(t *testing.T, a, b keys.Backend) {
	l := a.Limits()
	commit(t, a, 0, entries(orElse(l.Changes, manyChanges))...)
	commit(t, b, 1, sized(orElse(l.Bytes, manyBytes)))
	if got := load(t, a); got.Revision != 2 {
		t.Errorf("the store is at revision %d, want 2", got.Revision)
	}
}

// beyondLimits wants a refusal that can be told from others, and nothing else.
func beyondLimits(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, set("a", `1`))
	if n := a.Limits().Changes; n > 0 {
		tooLarge(t, a, 1, entries(n+1)...)
	}
	if n := b.Limits().Bytes; n > 0 {
		tooLarge(t, b, 1, sized(n+1))
	}
	wantContent(t, load(t, b), 1, content{"a": {`1`, 1}})
}

func tooLarge(t *testing.T, s keys.Store, base keys.Revision, changes ...keys.Change) {
	t.Helper()
	if rev, err := s.Commit(t.Context(), base, changes...); !errors.Is(err, keys.ErrTooLarge) {
		t.Errorf("a commit of %d changes gave revision %d and %v, want it refused as too large", len(changes), rev, err)
	}
}

// entries are n changes of little size.
func entries(n int) []keys.Change {
	changes := make([]keys.Change, n)
	for i := range changes {
		changes[i] = set(fmt.Sprint(i), `1`)
	}
	return changes
}

// sized is one change of n bytes.
func sized(n int64) keys.Change {
	const name, quotes = "a", `""`
	return set(name, `"`+strings.Repeat("v", int(n)-len(name)-len(quotes))+`"`)
}

func orElse[N ~int | ~int64](n, otherwise N) N {
	if n == 0 {
		return otherwise
	}
	return n
}
