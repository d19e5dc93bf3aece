package keys_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/audit"
)

// TestRecordThatRested changes a project whose last entry lies far back, and wants
// what is wrong from that entry on found, and nothing asked of those before it.
func TestRecordThatRested(t *testing.T) {
	for _, since := range []int{1, 14, 15, 16, 17, 46, 47, 48, 49, 150} {
		o := newOffice(t)
		o.addProject(t, bob)
		o.addProject(t, alice)
		early := o.load(t).Entries["project/"+string(alice)]
		must(o.SuspendProject(bg, operator, alice)) // entry 3
		for i := range since {
			if i%2 == 0 {
				must(o.SuspendProject(bg, operator, bob))
			} else {
				must(o.ResumeProject(bg, operator, bob))
			}
		}
		for what, tt := range map[string]struct {
			change func(map[string]keys.Entry)
			found  bool
		}{
			"untouched":                    {func(map[string]keys.Entry) {}, false},
			"an entry before is edited":    {editActor(1), false},
			"the one before it is missing": {func(all map[string]keys.Entry) { delete(all, auditName(2)) }, true},
			"its entry is edited":          {editActor(3), true},
			"the one behind it is edited":  {editActor(4), true},
			"the last one is edited":       {editActor(3 + since), true},
			"the last one is missing":      {func(all map[string]keys.Entry) { delete(all, auditName(3+since)) }, since == 0},
			"one behind it is missing":     {func(all map[string]keys.Entry) { delete(all, auditName(4)) }, since > 1},
			"it is put back":               {func(all map[string]keys.Entry) { all["project/"+string(alice)] = early }, true},
		} {
			changed := (&bench{office: o}).with(t, tt.change)
			_, err := changed.ResumeProject(bg, operator, alice)
			if found := errors.Is(err, audit.ErrBroken) || errors.Is(err, keys.ErrDamaged); found != tt.found || !found && err != nil {
				t.Errorf("%d entries later, %s: got %v", since, what, err)
			}
		}
	}
}

func auditName(seq int) string { return fmt.Sprintf("audit/%012d", seq) }

// editActor makes an entry tell of somebody else.
func editActor(seq int) func(map[string]keys.Entry) {
	return func(all map[string]keys.Entry) {
		text := strings.Replace(string(all[auditName(seq)].Value), operator.Name, "nobody", 1)
		all[auditName(seq)] = keys.Entry{Value: []byte(text)}
	}
}
