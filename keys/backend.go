package keys

import "context"

// Backend is a Store and all else that is kept where it is: everything that the
// program asks of the place of its keys. Commands and the proxy take a Backend, and
// one function in package wire opens it.
//
// All methods are safe for concurrent use.
type Backend interface {
	Store

	// Exists reports whether there is a store, perhaps one without a commit. It
	// reports true if that cannot be found out: reading the store then fails with
	// the reason.
	Exists(ctx context.Context) bool

	// CommitAbove is Commit, except that the new revision is also above floor. A
	// store that takes over the content of another one continues from the revision
	// of that one.
	CommitAbove(ctx context.Context, base, floor Revision, changes ...Change) (Revision, error)

	// Uses returns what all processes have counted, also those that have ended.
	Uses(ctx context.Context) ([]Use, error)

	// OpenLedger takes a ledger that no other process has, and returns what was
	// counted in it before. The caller closes it.
	OpenLedger(ctx context.Context) (Ledger, []Use, error)

	// ReplaceUses makes uses what was counted by all processes that have ended. The
	// ledgers of running ones stay. An error may leave a part of it done; to call it
	// again is safe.
	ReplaceUses(ctx context.Context, uses []Use) error
}

// Ledger is where one process writes what it counted. It outlives the process: the
// next one that takes it continues from there. It is apart from the Store, so that
// counting never conflicts with a change. It is not safe for concurrent use.
type Ledger interface {
	// Write replaces what the ledger holds, whole or not at all, and durably.
	Write(uses []Use) error

	// Lost reports whether what was written last is no longer there: Write then puts
	// it where the store is now.
	Lost() bool

	// Close lets another process take the ledger.
	Close() error
}
