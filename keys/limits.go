package keys

import (
	"errors"
	"fmt"
)

// ErrTooLarge reports a commit that is larger than its store takes. Nothing
// happened, and the same commit never succeeds: make it in parts.
var ErrTooLarge = errors.New("the commit is larger than the store takes")

// Limits are the largest commit that a store takes. A zero field is no limit.
type Limits struct {
	Changes int   // how many changes a commit may have
	Bytes   int64 // the names and the compact values of its changes, together
}

// Check reports whether changes fit in one commit. Its error is ErrTooLarge.
func (l Limits) Check(changes []Change) error {
	if l.Changes > 0 && len(changes) > l.Changes {
		return fmt.Errorf("%w: it has %d changes, and %d are the most", ErrTooLarge, len(changes), l.Changes)
	}
	if size := sizeOf(changes); l.Bytes > 0 && size > l.Bytes {
		return fmt.Errorf("%w: it has %d bytes, and %d are the most", ErrTooLarge, size, l.Bytes)
	}
	return nil
}

func sizeOf(changes []Change) (n int64) {
	for _, c := range changes {
		n += int64(len(c.Name) + len(c.Value))
	}
	return n
}
