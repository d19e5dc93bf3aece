package keys

import (
	"fmt"
	"time"
)

// Ends are the planned ends of a key that is no longer active. They come by the
// clock alone: no program has to be running for them.
type Ends struct {
	Drain   time.Time `json:"drain_until,omitzero"`   // zero: until it is told to suspend
	Discard time.Time `json:"discard_after,omitzero"` // zero: until it is told to discard
}

// Recorded is the plan in the records' precision: UTC, whole seconds.
func (e Ends) Recorded() Ends {
	return Ends{e.Drain.UTC().Truncate(time.Second), e.Discard.UTC().Truncate(time.Second)}
}

// Check refuses ends that could not come in order, or are past at now. Its error is
// ErrRefused.
func (e Ends) Check(now time.Time) error {
	switch {
	case !e.Drain.IsZero() && !e.Drain.After(now):
		return fmt.Errorf("%w: draining would end at %s, which is past", ErrRefused, e.Drain.Format(time.RFC3339))
	case !e.Discard.IsZero() && e.Drain.IsZero():
		return fmt.Errorf("%w: a key is discarded after it has drained: plan an end of draining too", ErrRefused)
	case !e.Discard.IsZero() && !e.Discard.After(e.Drain):
		return fmt.Errorf("%w: it would be discarded at %s, before draining ends", ErrRefused, e.Discard.Format(time.RFC3339))
	}
	return nil
}

// At is the key as it is at a time: its planned ends have come or not. A record
// says nothing of a key's state without the time.
func (k Key) At(now time.Time) Key {
	if k.State == Draining && Reached(k.Ends.Drain, now) {
		k.State, k.Since = Suspended, k.Ends.Drain
	}
	if k.State == Suspended && Reached(k.Ends.Discard, now) {
		k.State, k.Since, k.Ends = Discarded, k.Ends.Discard, Ends{}
	}
	return k
}

// Reached reports whether an end has come at now. The zero end never comes.
func Reached(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }
