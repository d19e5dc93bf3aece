// Package backup writes the whole content of a store to one file and reads it
// back. What is sealed stays sealed: neither needs the master key.
//
// # Format
//
// JSON, one document a line: a header, the records in the order of their names,
// how often each key was used, and a closing line with the SHA-256 of every byte
// before it.
//
//	{"kmproxy_backup":1,"created_at":"…","revision":9,"records":2,"uses":1}
//	{"record":"audit-key","value":{…}}
//	{"record":"seal","value":{…}}
//	{"use":{…}}
//	{"end":true,"sha256":"…"}
//
// The sum tells damage, not forgery. Against forgery the records are sealed and
// audited: Read wants every record to be the one that was last audited, and
// whoever has the master key can verify the audit record after restoring.
package backup

import (
	"errors"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// ErrBad reports a file that is not a whole and unchanged backup.
var ErrBad = errors.New("the backup cannot be used")

// Backup is a store's content at one revision.
type Backup struct {
	CreatedAt time.Time
	Store     keys.Snapshot
	Uses      []keys.Use
}

type header struct {
	Version   int           `json:"kmproxy_backup"`
	CreatedAt time.Time     `json:"created_at"`
	Revision  keys.Revision `json:"revision"`
	Records   int           `json:"records"`
	Uses      int           `json:"uses"`
}

type useLine struct {
	Use *keys.Use `json:"use"`
}

type closing struct {
	End bool   `json:"end"`
	Sum string `json:"sha256"` // in hex
}

// Check checks a store's content as far as that can be done without its master key:
// there is a seal record, every record is of a form known here, and each is the one
// that was last audited. It does not prove that the audit record itself is genuine.
// Errors: keys.ErrDamaged, keys.ErrRefused, audit.ErrBroken.
func Check(s keys.Snapshot) error { return vault.CheckContent(s) }
