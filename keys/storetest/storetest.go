// Package storetest is the contract of keys.Store and keys.Backend as tests. A store
// passes it with one test of its own:
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) keys.Backend { return memstore.New() })
//	}
//
// Values in it are compact JSON, so that a store may compact what it is given.
package storetest

import (
	"testing"

	"kmproxy/keys"
)

// check is one clause of the contract. a and b are two handles on one empty
// store: what one commits, the other must see.
type check struct {
	name string
	run  func(t *testing.T, a, b keys.Backend)
}

func checks() []check {
	return []check{
		{"a new store is empty", newIsEmpty},
		{"a commit is seen at once", commitIsSeen},
		{"an entry keeps the revision that wrote it", entryRevisions},
		{"a deleted entry is absent", deletedIsAbsent},
		{"an absent entry can be deleted", deleteAbsent},
		{"erasing sets and deletes like any change", erasing},
		{"every name of the grammar is taken", namesTaken},
		{"other names are refused", namesRefused},
		{"one commit is all or nothing", allOrNothing},
		{"another base is a conflict", conflicts},
		{"a snapshot never changes", snapshotStays},
		{"the store keeps its own bytes", ownBytes},
		{"a commit within the limits is taken", withinLimits},
		{"a commit beyond the limits is refused", beyondLimits},
		{"random commits match a map", matchesMap},
		{"one of several writers wins", oneWins},
		{"no update is lost", noLostUpdate},
		{"readers see whole commits only", wholeCommits},
		{"watch tells of every commit", watchTells},
		{"watch ends with its context", watchEnds},
		{"a watch nobody reads blocks nobody", watchUnread},
		{"a store exists after its first commit", existsThen},
		{"a commit passes over a floor", passesFloor},
		{"a ledger outlives its process", ledgerContinues},
		{"each process counts apart", ledgersApart},
		{"uses are replaced but for those of running processes", usesReplaced},
	}
}

// Run checks the contract through one handle. open gives a new empty store; it
// is called once for every check and the store is closed after it.
func Run(t *testing.T, open func(t *testing.T) keys.Backend) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			closeAfter(t, s)
			c.run(t, s, s)
		})
	}
}

// RunShared checks the same through two handles, for a store that can be opened
// more than once, and that its content outlives all of them. place gives a new
// empty place; every call of the function that it returns opens that place anew.
func RunShared(t *testing.T, place func(t *testing.T) (open func() keys.Backend)) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			open := place(t)
			a, b := open(), open()
			closeAfter(t, a)
			closeAfter(t, b)
			c.run(t, a, b)
		})
	}
	t.Run("closing loses nothing", func(t *testing.T) { closingLosesNothing(t, place(t)) })
}

func closeAfter(t *testing.T, s keys.Store) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
}

func closingLosesNothing(t *testing.T, open func() keys.Backend) {
	for i := range keys.Revision(5) {
		s := open()
		if snap := load(t, s); snap.Revision != i {
			t.Fatalf("opened at revision %d, want %d", snap.Revision, i)
		}
		commit(t, s, i, set("a", number(i)))
		if err := s.Close(); err != nil {
			t.Fatalf("closing the store: %v", err)
		}
	}
	last := open()
	closeAfter(t, last)
	wantContent(t, load(t, last), 5, content{"a": {"4", 5}})
}
