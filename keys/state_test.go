package keys_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kmproxy/keys"
)

var (
	states = []keys.State{keys.Staged, keys.Active, keys.Draining, keys.Suspended, keys.Discarded}
	moves  = []keys.Move{keys.Promote, keys.Drain, keys.Suspend, keys.Resume, keys.Discard}
)

// allowed is written down from the contract, not from the code.
const allowed = `
	staged    promote  active
	staged    discard  discarded
	active    drain    draining
	active    suspend  suspended
	draining  suspend  suspended
	suspended resume   draining
	suspended promote  active
	suspended discard  discarded
`

func contractMoves(t *testing.T) map[string]string {
	t.Helper()
	table := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(allowed)) {
		words := strings.Fields(line)
		table[words[0]+" "+words[1]] = words[2]
	}
	if len(table) != 8 {
		t.Fatalf("the list has %d moves", len(table))
	}
	return table
}

// TestEveryMove tries all pairs of state and move, the invalid ones too.
func TestEveryMove(t *testing.T) {
	left := contractMoves(t)
	for s := range keys.State(8) {
		for m := range keys.Move(8) {
			pair := s.String() + " " + m.String()
			want := left[pair]
			delete(left, pair)
			next, err := s.After(m)
			if err == nil && next.String() != want {
				t.Errorf("%s: got %s, want %q", pair, next, want)
			}
			if err != nil && want != "" {
				t.Errorf("%s: got %v, want %s", pair, err, want)
			}
			var refused *keys.MoveError
			if err != nil && (next != 0 || !errors.As(err, &refused) || refused.From != s || refused.Move != m) {
				t.Errorf("%s: got %s and %#v", pair, next, err)
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("never tried: %v", left)
	}
}

func TestNothingLeadsOutOfDiscarded(t *testing.T) {
	reached := map[keys.State]bool{keys.Discarded: true}
	for range states {
		for s := range reached {
			for _, m := range moves {
				if next, err := s.After(m); err == nil {
					reached[next] = true
				}
			}
		}
	}
	if len(reached) != 1 {
		t.Errorf("from discarded one comes to %v", reached)
	}
}

func TestStateNames(t *testing.T) {
	want := []string{"staged", "active", "draining", "suspended", "discarded"}
	for i, s := range states {
		if s.String() != want[i] || !s.Valid() {
			t.Errorf("state %d is %s, want %s", i, s, want[i])
		}
		if back, err := keys.ParseState(s.String()); err != nil || back != s {
			t.Errorf("%s comes back as %s, %v", s, back, err)
		}
	}
	for _, text := range []string{"", "Active", "ACTIVE", " active", "active ", "inactive", "activ", "invalid state 0", "\x00"} {
		if s, err := keys.ParseState(text); !errors.Is(err, keys.ErrState) || s.Valid() {
			t.Errorf("%q: got %s, %v", text, s, err)
		}
	}
	_, err := keys.ParseState("\x1b[2J" + strings.Repeat("long", 100))
	if err == nil || len(err.Error()) > 60 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a stranger's text is repeated: %q", err)
	}
}

func TestMoveNames(t *testing.T) {
	want := []string{"promote", "drain", "suspend", "resume", "discard"}
	for i, m := range moves {
		if m.String() != want[i] || !m.Valid() {
			t.Errorf("move %d is %s, want %s", i, m, want[i])
		}
	}
}

func TestZeroStateAndMoveAreInvalid(t *testing.T) {
	for _, n := range []uint8{0, 6, 7, 255} {
		s, m := keys.State(n), keys.Move(n)
		if s.Valid() || m.Valid() || s.Usable() {
			t.Errorf("%d is a state or a move", n)
		}
		if s.String() != fmt.Sprintf("invalid state %d", n) || m.String() != fmt.Sprintf("invalid move %d", n) {
			t.Errorf("%d prints as %s and %s", n, s, m)
		}
	}
}

func TestUsable(t *testing.T) {
	for s, want := range map[keys.State]bool{
		keys.Staged: false, keys.Active: true, keys.Draining: true, keys.Suspended: false, keys.Discarded: false,
	} {
		if s.Usable() != want {
			t.Errorf("%s: usable is %t", s, s.Usable())
		}
	}
}

func TestMoveErrorSaysBoth(t *testing.T) {
	_, err := keys.Discarded.After(keys.Promote)
	if err == nil || !strings.Contains(err.Error(), "discarded") || !strings.Contains(err.Error(), "promote") {
		t.Errorf("got %v", err)
	}
}
