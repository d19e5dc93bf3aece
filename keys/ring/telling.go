package ring

import (
	"errors"
	"slices"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/audit"
)

// lasting is how long a trouble is of another kind before that is reported: on its
// way out and back a store can be wrong in many ways.
const lasting = 5 * time.Second

// telling reports a trouble once, again when it has become one of another kind, and
// its end.
type telling struct {
	report func(error)
	told   error   // what was reported last; nil: no trouble
	kinds  []error // that were reported of this trouble
	kind   error   // that it is of now
	since  time.Time
}

// of is called with what became of each read.
func (t *telling) of(err error) {
	if err == nil {
		if t.told != nil {
			t.report(nil)
		}
		*t = telling{report: t.report}
		return
	}
	if kind := kindOf(err); kind != t.kind {
		t.kind, t.since = kind, time.Now()
	}
	if t.isNews(err) {
		t.report(err)
		t.told, t.kinds = err, append(t.kinds, t.kind)
	}
}

func (t *telling) isNews(err error) bool {
	resealed, was := errors.Is(err, ErrResealed), errors.Is(t.told, ErrResealed)
	switch {
	case t.told == nil || resealed != was:
		return true
	case resealed:
		return err.Error() != t.told.Error()
	}
	return !slices.Contains(t.kinds, t.kind) && time.Since(t.since) >= lasting
}

// kindOf is the error that an operator tells one trouble from another by.
func kindOf(err error) error {
	for _, kind := range []error{ErrGone, ErrOlder, ErrOtherHistory, ErrResealed, ErrSlow, keys.ErrDamaged, audit.ErrBroken} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return errUnreadable
}
