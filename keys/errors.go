package keys

import "errors"

// Errors that callers decide on, whichever package returns them.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already known here")
	ErrLimit    = errors.New("too many keys that are not discarded")
	ErrRefused  = errors.New("refused")
)
