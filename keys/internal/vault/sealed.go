package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/internal/cores"
)

// sealedField is the field that a record of that name seals; empty if it seals
// nothing.
func sealedField(name string) string {
	switch {
	case isProject(name), strings.HasPrefix(name, itemPrefix):
		return secretsField
	case name == AuditKeyName:
		return auditKeyField
	}
	return ""
}

// SealedNames lists the records with a sealed part. Its error is ErrRefused for
// a record of a kind that only a newer kmproxy knows.
func SealedNames(s keys.Snapshot) ([]string, error) {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Entries)) {
		switch {
		case sealedField(name) != "":
			out = append(out, name)
		case name != keys.SealName && !strings.HasPrefix(name, auditPrefix):
			return nil, newer(name)
		}
	}
	return out, nil
}

func newer(name string) error {
	return fmt.Errorf("record %s: %w: a newer kmproxy wrote it: make the change with that one", name, keys.ErrRefused)
}

// readSealed reads a record of any kind without opening it. Its error is
// ErrDamaged.
func readSealed(name string, value []byte) (record, error) {
	r, err := parseRecord(value)
	if err != nil {
		return r, Damaged(name, err)
	}
	if _, ok := envelope.KeyID(r.Sealed); !ok {
		return r, Damaged(name, errors.New("it has no sealed part"))
	}
	return r, nil
}

// sealedUnder is the id of the master key; empty if there is no sealed part. It is a
// copy, which does not keep the whole text in memory.
func (r record) sealedUnder() string {
	id, _ := envelope.KeyID(r.Sealed)
	return strings.Clone(id)
}

// isWhole reports whether a record has no members but those that are known here:
// others would be lost when it is written again.
func isWhole(value []byte) bool {
	if o, ok := outlineOf(value); ok {
		if _, ok = o.record(); ok {
			return true
		}
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	return d.Decode(&record{}) == nil
}

// Resealed is a record as its next version, sealed under another master key. All
// but the version and the sealed text stays as it is, byte for byte.
func Resealed(name string, value []byte, from, to envelope.Key) ([]byte, error) {
	r, err := readSealed(name, value)
	if err != nil {
		return nil, err
	}
	hidden, err := r.open(from, name)
	if err != nil {
		return nil, err
	}
	defer hidden.Wipe()
	r.Version, r.Plain = r.Version+1, r.compact()
	r.Sealed = to.Seal(r.place(name), r.Plain, hidden.Expose())
	return r.json(), nil
}

// SealedBy is the id of the master key that a record is sealed under. It refuses a
// record that would lose something if it were written again. Errors:
// keys.ErrDamaged, keys.ErrRefused.
func SealedBy(name string, value []byte) (string, error) {
	r, err := readSealed(name, value)
	if err != nil {
		return "", err
	}
	if !isWhole(value) {
		return "", newer(name)
	}
	return r.sealedUnder(), nil
}

// SealedUnder counts the records with a sealed part by the id of the master key
// they are sealed under. Errors: ErrDamaged, ErrRefused.
func SealedUnder(s keys.Snapshot) (map[string]int, error) {
	names, err := SealedNames(s)
	if err != nil {
		return nil, err
	}
	ids, failed := make([]string, len(names)), make([]error, len(names))
	cores.Each(len(names), func(i int) {
		var r record
		r, failed[i] = readSealed(names[i], s.Entries[names[i]].Value)
		ids[i] = r.sealedUnder()
	})
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, id := range ids {
		out[id]++
	}
	return out, nil
}
