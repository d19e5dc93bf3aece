package storetest

import (
	"slices"
	"testing"

	"kmproxy/keys"
)

func existsThen(t *testing.T, a, b keys.Backend) {
	if a.Exists(t.Context()) {
		t.Error("a new store exists")
	}
	commit(t, a, 0)
	if !b.Exists(t.Context()) {
		t.Error("a store with a commit does not exist")
	}
}

func passesFloor(t *testing.T, a, b keys.Backend) {
	for _, step := range []struct{ base, floor, want keys.Revision }{{0, 5, 6}, {6, 3, 7}, {7, 7, 8}, {8, 20, 21}} {
		rev, err := a.CommitAbove(t.Context(), step.base, step.floor, set("a", number(step.want)))
		if err != nil || rev != step.want {
			t.Fatalf("on revision %d above %d: revision %d and %v, want %d", step.base, step.floor, rev, err, step.want)
		}
		wantContent(t, load(t, b), step.want, content{"a": {number(step.want), step.want}})
	}
	conflict(t, b, 20)
}

func uses(n uint64) []keys.Use {
	return []keys.Use{{ASPID: "000000000000001", KeyID: "00", Direction: "request", Alg: "A", Requests: n}}
}

// ledger opens a ledger and wants that to have been counted in it.
func ledger(t *testing.T, s keys.Backend, before []keys.Use) keys.Ledger {
	t.Helper()
	l, got, err := s.OpenLedger(t.Context())
	if err != nil {
		t.Fatalf("open a ledger: %v", err)
	}
	if !slices.Equal(got, before) {
		t.Errorf("the ledger holds %+v, want %+v", got, before)
	}
	return l
}

func count(t *testing.T, l keys.Ledger, n uint64) {
	t.Helper()
	if err := l.Write(uses(n)); err != nil {
		t.Fatalf("write a ledger: %v", err)
	}
	if l.Lost() {
		t.Error("what was written is lost")
	}
}

func end(t *testing.T, ledgers ...keys.Ledger) {
	t.Helper()
	for _, l := range ledgers {
		if err := l.Close(); err != nil {
			t.Fatalf("close a ledger: %v", err)
		}
	}
}

func wantUses(t *testing.T, s keys.Backend, n uint64) {
	t.Helper()
	if got, err := s.Uses(t.Context()); err != nil || !slices.Equal(got, uses(n)) {
		t.Errorf("the uses are %+v and %v, want %d", got, err, n)
	}
}

func ledgerContinues(t *testing.T, a, b keys.Backend) {
	l := ledger(t, a, nil)
	count(t, l, 3)
	wantUses(t, b, 3)
	end(t, l)
	wantUses(t, a, 3)
	l = ledger(t, b, uses(3))
	count(t, l, 5)
	wantUses(t, a, 5)
	end(t, l)
}

func ledgersApart(t *testing.T, a, b keys.Backend) {
	first, second := ledger(t, a, nil), ledger(t, b, nil)
	count(t, first, 1)
	count(t, second, 2)
	wantUses(t, a, 3)
	end(t, second)
	third := ledger(t, a, uses(2))
	end(t, first, third)
}

func usesReplaced(t *testing.T, a, b keys.Backend) {
	running, ended := ledger(t, a, nil), ledger(t, a, nil)
	count(t, running, 1)
	count(t, ended, 2)
	end(t, ended)
	replaceUses(t, b, uses(10))
	wantUses(t, a, 11)
	end(t, running)
	replaceUses(t, a, uses(20))
	wantUses(t, b, 20)
	replaceUses(t, b, nil)
	if got, err := a.Uses(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("the uses are %+v and %v, want none", got, err)
	}
}

func replaceUses(t *testing.T, s keys.Backend, to []keys.Use) {
	t.Helper()
	if err := s.ReplaceUses(t.Context(), to); err != nil {
		t.Fatalf("replace the uses: %v", err)
	}
}
