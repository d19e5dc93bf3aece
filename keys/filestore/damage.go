package filestore

import (
	"fmt"
	"strings"

	"kmproxy/keys"
)

// flaw is what is wrong with one line of the log.
type flaw struct {
	line  int      // 1 is the header
	names []string // the entries of the line, when known
	what  string
}

func (f flaw) Error() string {
	if len(f.names) == 0 {
		return fmt.Sprintf("line %d: %s", f.line, f.what)
	}
	return fmt.Sprintf("line %d (%s): %s", f.line, strings.Join(f.names, ", "), f.what)
}

// damaged is keys.ErrDamaged with the file, what is wrong, and what to do.
func damaged(path string, what any) error {
	return fmt.Errorf("%w: %s: %v; it stays as it is: restore a backup into an empty folder", keys.ErrDamaged, path, what)
}

func recordFlaw(line int, r record, what string) flaw {
	const enough = 5
	f := flaw{line: line, what: what}
	for i, c := range r.changes {
		if i == enough {
			f.names = append(f.names, "…")
			break
		}
		f.names = append(f.names, c.Name)
	}
	return f
}
