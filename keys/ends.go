package keys

import (
	"fmt"
	"slices"
	"time"

	"kmproxy/crypto/sensitive"
)

// Ends are the planned ends of a key that is no longer active. They come by the
// clock alone: nobody has to be running for them.
type Ends struct {
	Drain   time.Time `json:"drain_until,omitzero"`   // zero: until it is told to suspend
	Discard time.Time `json:"discard_after,omitzero"` // zero: until it is told to discard
}

// recorded is the plan in the records' precision.
func (e Ends) recorded() Ends {
	return Ends{e.Drain.UTC().Truncate(time.Second), e.Discard.UTC().Truncate(time.Second)}
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
		k.State, k.Since, k.Ends = Discarded, k.Ends.Discard, Ends{}
	}
	return k
}

func reached(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

// settle puts the keys in the states that the clock has brought them to.
func (p *Project) settle(now time.Time) {
	for i := range p.Keys {
		p.Keys[i] = p.Keys[i].At(now)
	}
}

// shed gives up for good what is over: the private halves of discarded keys, and
// the pairs of access key and secret that have ended. It tells whether any was
// there.
func (p *Project) shed(now time.Time) (gone bool) {
	for i := range p.Keys {
		if k := &p.Keys[i]; k.State == Discarded && k.private.Len() > 0 {
			k.private.Wipe()
			k.private = sensitive.Bytes{}
			gone = true
		}
	}
	before := len(p.Credentials)
	p.Credentials = slices.DeleteFunc(p.Credentials, func(c Credential) bool { return reached(c.ExpiresAt, now) })
	return gone || len(p.Credentials) < before
}
