// Package changes holds what every store does alike with the changes of a
// commit: refusing what the contract of keys.Store does not allow, and applying
// the rest to a snapshot.
package changes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"kmproxy/keys"
	"kmproxy/keys/internal/cores"
)

// maxNameBytes is the longest name of an entry.
const maxNameBytes = 200

// What a change can be refused for.
var (
	ErrName  = errors.New("a name has 1 to 200 letters, digits or characters of -_./")
	ErrValue = errors.New("the value is not one JSON document in UTF-8")
	ErrTwice = errors.New("one commit changes it twice, so that its outcome is not defined")
)

// Prepare checks all changes and returns copies that share no bytes with the
// caller's, each value compacted: a compact document has no line breaks, and
// everything but the blanks between its tokens is as it was given.
func Prepare(given []keys.Change) ([]keys.Change, error) {
	prepared, failed := make([]keys.Change, len(given)), make([]error, len(given))
	cores.Each(len(given), func(i int) {
		prepared[i] = keys.Change{Name: given[i].Name, Erase: given[i].Erase}
		prepared[i].Value, failed[i] = prepare(given[i])
	})
	seen := make(map[string]bool, len(given))
	for i, c := range given {
		if seen[c.Name] {
			failed[i] = ErrTwice
		}
		seen[c.Name] = true
		if failed[i] != nil {
			return nil, fmt.Errorf("entry %q: %w", c.Name, failed[i])
		}
	}
	return prepared, nil
}

func prepare(c keys.Change) ([]byte, error) {
	if !ValidName(c.Name) {
		return nil, ErrName
	}
	if c.Value == nil {
		return nil, nil
	}
	// The decoder's own message is left out: it can quote the value.
	var compact bytes.Buffer
	if err := json.Compact(&compact, c.Value); err != nil || !utf8.Valid(c.Value) {
		return nil, ErrValue
	}
	return compact.Bytes(), nil
}

// ValidName tells whether an entry may have this name.
func ValidName(name string) bool {
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return 1 <= len(name) && len(name) <= maxNameBytes
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_./", c) >= 0
}

// Apply returns the snapshot that follows s by one commit. s stays as it is.
func Apply(s keys.Snapshot, prepared []keys.Change) keys.Snapshot {
	next := keys.Snapshot{Revision: s.Revision + 1, Entries: maps.Clone(s.Entries)}
	if next.Entries == nil {
		next.Entries = make(map[string]keys.Entry, len(prepared))
	}
	Into(next.Entries, next.Revision, prepared)
	return next
}

// Into applies the changes of one commit to entries that nobody else sees yet.
func Into(entries map[string]keys.Entry, rev keys.Revision, prepared []keys.Change) {
	for _, c := range prepared {
		if c.Value == nil {
			delete(entries, c.Name)
			continue
		}
		entries[c.Name] = keys.Entry{Value: c.Value, Revision: rev}
	}
}
