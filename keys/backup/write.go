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
)

// Write writes a backup. It does not sync what it writes to.
func Write(to io.Writer, b Backup) error {
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<16)
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
	for _, name := range slices.Sorted(maps.Keys(b.Store.Entries)) {
		value := b.Store.Entries[name].Value
		if !json.Valid(value) {
			return fmt.Errorf("writing the backup: record %s is not JSON", name)
		}
		// by hand: an encoder would write < and > in another way, and the audit record
		// has the sum of what stands there
		_, _ = fmt.Fprintf(w, "{\"record\":\"%s\",\"value\":%s}\n", name, value)
	}
	for _, u := range b.Uses {
		if err := to.Encode(useLine{&u}); err != nil {
			return fmt.Errorf("writing the backup: %w", err)
		}
	}
	return nil
}
