package audit_test

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/keys/audit"
)

// TestHistoriesDoNotMix: after a restore two histories begin with the same entries
// under one key. An entry of one does not stand in the other, though it is genuine
// and its number fits.
func TestHistoriesDoNotMix(t *testing.T) {
	key, common := chain(t, 3)
	grow := func(actor string) []audit.Entry {
		e := common[:3:3]
		for range 2 {
			next, err := key.Link(&e[len(e)-1], audit.Entry{Actor: actor, Action: "key suspend"})
			if err != nil {
				t.Fatal(err)
			}
			e = append(e, next)
		}
		return e
	}
	one, other := grow("one"), grow("other")
	if err := errors.Join(key.Verify(one), key.Verify(other)); err != nil {
		t.Fatal(err)
	}
	one[4] = other[4]
	if err := key.Verify(one); !errors.Is(err, audit.ErrBroken) || !strings.Contains(err.Error(), "entry 5") {
		t.Errorf("an entry of the other history: %v", err)
	}
}
