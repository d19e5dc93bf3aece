package storetest

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/keys"
)

func newIsEmpty(t *testing.T, a, b keys.Backend) {
	wantContent(t, load(t, a), 0, nil)
	wantContent(t, load(t, b), 0, nil)
}

func commitIsSeen(t *testing.T, a, b keys.Backend) {
	load(t, b) // what b remembers must not hide what comes after
	commit(t, a, 0, set("a", `{"x":"1"}`))
	wantContent(t, load(t, b), 1, content{"a": {`{"x":"1"}`, 1}})
	wantContent(t, load(t, a), 1, content{"a": {`{"x":"1"}`, 1}})
	commit(t, b, 1, set("b", `null`))
	wantContent(t, load(t, a), 2, content{"a": {`{"x":"1"}`, 1}, "b": {`null`, 2}})
}

func entryRevisions(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, set("old", `1`), set("new", `1`))
	commit(t, b, 1, set("new", `2`))
	commit(t, a, 2, set("other", `3`))
	wantContent(t, load(t, b), 3, content{"old": {`1`, 1}, "new": {`2`, 2}, "other": {`3`, 3}})
}

func deletedIsAbsent(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, set("a", `1`), set("b", `2`))
	commit(t, b, 1, del("a"))
	wantContent(t, load(t, a), 2, content{"b": {`2`, 1}})
	commit(t, a, 2, set("a", `3`))
	wantContent(t, load(t, b), 3, content{"a": {`3`, 3}, "b": {`2`, 1}})
}

func deleteAbsent(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, del("never"))
	commit(t, b, 1, set("a", `1`), del("never"))
	wantContent(t, load(t, a), 2, content{"a": {`1`, 2}})
}

func erasing(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, set("a", `"secret"`), set("b", `"secret"`), set("c", `1`))
	commit(t, b, 1,
		keys.Change{Name: "a", Value: []byte(`"tombstone"`), Erase: true},
		keys.Change{Name: "b", Erase: true},
		keys.Change{Name: "never", Erase: true})
	wantContent(t, load(t, a), 2, content{"a": {`"tombstone"`, 2}, "c": {`1`, 1}})
	commit(t, a, 2, set("c", `2`))
	wantContent(t, load(t, b), 3, content{"a": {`"tombstone"`, 2}, "c": {`2`, 3}})
}

func namesTaken(t *testing.T, a, b keys.Backend) {
	names := []string{
		"a", "Z", "0", "-", "_", ".", "/", "..", "../../etc/passwd", "//",
		"project/ABC-1_2.3", strings.Repeat("n", 200),
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./",
	}
	want := content{}
	for i, name := range names {
		commit(t, a, keys.Revision(i), set(name, number(i)))
		want[name] = written{number(i), keys.Revision(i) + 1}
	}
	wantContent(t, load(t, b), keys.Revision(len(names)), want)
}

func namesRefused(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, set("a", `1`))
	for _, name := range []string{"", "a b", "a\n", "a\x00", `a"`, `a\`, "a:b", "ä", "a*", strings.Repeat("n", 201)} {
		for _, c := range []keys.Change{set(name, `1`), del(name)} {
			refused(t, a, 1, c)
		}
	}
	wantContent(t, load(t, b), 1, content{"a": {`1`, 1}})
}

func allOrNothing(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, set("a", `1`), set("b", `1`))
	commit(t, a, 1, set("a", `2`), del("b"), set("c", `2`))
	want := content{"a": {`2`, 2}, "c": {`2`, 2}}
	wantContent(t, load(t, b), 2, want)
	refused(t, a, 2, set("a", `3`), del("c"), set("no such name!", `3`))
	wantContent(t, load(t, b), 2, want)
}

// refused wants an error that does not ask to try again.
func refused(t *testing.T, s keys.Store, base keys.Revision, changes ...keys.Change) {
	t.Helper()
	if rev, err := s.Commit(t.Context(), base, changes...); err == nil || errors.Is(err, keys.ErrConflict) {
		t.Errorf("commit of %q gave revision %d and %v, want it refused", changes[len(changes)-1].Name, rev, err)
	}
}

func conflicts(t *testing.T, a, b keys.Backend) {
	conflict(t, a, 1)
	commit(t, a, 0, set("a", `1`))
	commit(t, a, 1, set("a", `2`))
	for _, base := range []keys.Revision{0, 1, 3, 1 << 62} {
		conflict(t, b, base)
	}
	want := content{"a": {`2`, 2}}
	wantContent(t, load(t, a), 2, want)
	wantContent(t, load(t, b), 2, want)
	commit(t, b, 2, set("a", `3`)) // a conflict is forgotten once the base is right
}

func conflict(t *testing.T, s keys.Store, base keys.Revision) {
	t.Helper()
	if rev, err := s.Commit(t.Context(), base, set("a", `"conflict"`)); !errors.Is(err, keys.ErrConflict) {
		t.Errorf("commit on revision %d gave revision %d and %v, want a conflict", base, rev, err)
	}
}

func snapshotStays(t *testing.T, a, b keys.Backend) {
	commit(t, a, 0, set("a", `"one"`), set("b", `"one"`))
	before := load(t, b)
	commit(t, a, 1, set("a", `"two"`), del("b"), set("c", `"two"`))
	load(t, b)
	commit(t, b, 2, keys.Change{Name: "a", Value: []byte(`"six"`), Erase: true})
	wantContent(t, before, 1, content{"a": {`"one"`, 1}, "b": {`"one"`, 1}})
}

func ownBytes(t *testing.T, a, b keys.Backend) {
	value := []byte(`"mine"`)
	given := []keys.Change{{Name: "a", Value: value}}
	commit(t, a, 0, given...)
	copy(value, `"your"`)
	given[0].Name = "b"
	wantContent(t, load(t, a), 1, content{"a": {`"mine"`, 1}})
	wantContent(t, load(t, b), 1, content{"a": {`"mine"`, 1}})
}
