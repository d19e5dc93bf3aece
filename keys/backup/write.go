package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"kmproxy/keys/internal/cores"
)

// Write writes a backup. It does not sync what it writes to.
func Write(to io.Writer, b Backup) error {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<20)
	if err := writeContent(w, b); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	line, err := json.Marshal(closing{true, hex.EncodeToString(sum.Sum(nil))})
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	if _, err := to.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

// writeContent leaves errors of w to its Flush.
func writeContent(w *bufio.Writer, b Backup) error {
	to := json.NewEncoder(w)
	top := header{1, b.CreatedAt.UTC(), b.Store.Revision, len(b.Store.Entries), len(b.Uses)}
	if err := to.Encode(top); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	names := slices.Sorted(maps.Keys(b.Store.Entries))
	if failed := cores.Errors(names, func(name string) error { return isJSON(name, b.Store.Entries[name].Value) }); failed != nil {
		return failed[0]
	}
	for _, name := range names {
		// by hand: an encoder would write < and > in another way, and the audit record
		// has the sum of what stands there
		_, _ = w.WriteString(`{"record":"` + name + `","value":`)
		_, _ = w.Write(b.Store.Entries[name].Value)
		_, _ = w.WriteString("}\n")
	}
	for _, u := range b.Uses {
		if err := to.Encode(useLine{&u}); err != nil {
			return fmt.Errorf("writing the backup: %w", err)
		}
	}
	return nil
}

func isJSON(name string, value []byte) error {
	if !json.Valid(value) {
		return fmt.Errorf("writing the backup: record %s is not JSON", name)
	}
	return nil
}
