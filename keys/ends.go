package keys

import (
	"fmt"
	"time"

	"kmproxy/crypto/sensitive"
)

// Ends are the planned ends of a key that is no longer active. They come by the
// clock alone: nobody has to be running for them.
type Ends struct {
	Drain   time.Time `json:"drain_until,omitzero"`   // zero: until it is told to suspend
	Discard time.Time `json:"discard_after,omitzero"` // zero: until it is told to discard
}

// check refuses ends that could not come in order, or are past already.
func (e Ends) check(now time.Time) error {
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

// At is the key as it is at a time: its planned ends have come or not. Whoever
// reads a record asks for the time too.
func (k Key) At(now time.Time) Key {
	if k.State == Draining && reached(k.Ends.Drain, now) {
		k.State, k.Since = Suspended, k.Ends.Drain
	}
	if k.State == Suspended && reached(k.Ends.Discard, now) {
		k.State, k.Since = Discarded, k.Ends.Discard
	}
	return k
}

func reached(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

// settle writes down what the clock has done to a project's keys. erase says
// that a private half was destroyed by it.
func (p *Project) settle(now time.Time) (erase bool) {
	for i, k := range p.Keys {
		at := k.At(now)
		if at.State == Discarded && k.State != Discarded {
			at.destroy()
			erase = true
		}
		p.Keys[i] = at
	}
	return erase
}

// destroy gives up the private half for good.
func (k *Key) destroy() {
	k.private.Wipe()
	k.private = sensitive.Bytes{}
	k.Ends = Ends{}
}
