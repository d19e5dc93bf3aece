package vault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

// Audit returns the record of every change, the first one first. It does not
// verify it. Its error is keys.ErrDamaged.
func (v *View) Audit() ([]audit.Entry, error) { return v.readEntries(v.entryNames(0)) }

// VerifyAll checks that the chain holds from its first entry on, that every record
// opens, and that every record is the one that was last audited, so that none was
// edited, put back, added or taken away. Its error names all that is wrong:
// audit.ErrBroken, keys.ErrDamaged.
func (v *View) VerifyAll() (entries int, err error) {
	if !v.sealed {
		return 0, nil
	}
	t, err := v.trail()
	if err != nil {
		return 0, err
	}
	return len(v.entryNames(0)), errors.Join(t.broken, v.openAll(), t.isAll(v.Snapshot))
}

// VerifyTrail checks the chain and the records as VerifyAll does, but opens none.
func (v *View) VerifyTrail() error {
	t, err := v.trail()
	if err != nil {
		return err
	}
	return errors.Join(t.broken, t.isAll(v.Snapshot))
}

// trail reads the whole audit record and checks it under its own key. Its error is
// that of what cannot be read; whether the chain holds is in Trail.broken.
func (v *View) trail() (Trail, error) {
	t := Trail{digests: map[string]string{}}
	key, err := v.AuditKey()
	if err != nil {
		return t, err
	}
	return t, t.read(v, key.VerifyAfter)
}

// OpenSealed wants the records of those names to open. Its error names all that do
// not.
func (v *View) OpenSealed(names []string) error { return errors.Join(cores.Errors(names, v.opens)...) }

// openAll wants every record to open. Its error names all that do not.
func (v *View) openAll() error {
	failed := cores.Errors(ProjectNames(v.Snapshot), func(name string) error {
		_, err := Show(v.Master, name, v.Entries[name].Value)
		return err
	})
	names, err := SealedNames(v.Snapshot)
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	others := slices.DeleteFunc(names, isProject)
	return errors.Join(append(failed, v.OpenSealed(others))...)
}

// opens wants one record to open.
func (v *View) opens(name string) error {
	value := v.Entries[name].Value
	if o, ok := outlineOf(value); ok && v.Master.Proves(record{Version: o.version}.place(name), o.plain, o.sealed) {
		return nil
	}
	r, err := readSealed(name, value)
	if err != nil {
		return err
	}
	hidden, err := r.open(v.Master, name)
	hidden.Wipe()
	return err
}

// checkWrote wants a store to hold the records whose digests are in wrote, and no
// others. It names all that is wrong. isOf compares, and is called by many at once.
func checkWrote(s keys.Snapshot, wrote map[string]string, isOf func(name string, value []byte, digest string) bool) error {
	names := slices.Sorted(maps.Keys(wrote))
	wrong := make([]error, len(names))
	cores.Each(len(names), func(i int) {
		value, there := s.Entries[names[i]]
		switch want := wrote[names[i]]; {
		case want == "" && !there:
		case !there:
			wrong[i] = fmt.Errorf("%w: record %s is gone", audit.ErrBroken, names[i])
		case !isOf(names[i], value.Value, want):
			wrong[i] = rewritten(names[i])
		}
	})
	for _, name := range slices.Sorted(maps.Keys(s.Entries)) {
		if _, known := wrote[name]; !known && !strings.HasPrefix(name, auditPrefix) {
			wrong = append(wrong, fmt.Errorf("%w: record %s was put there by nobody", audit.ErrBroken, name))
		}
	}
	return errors.Join(wrong...)
}

func rewritten(name string) error {
	return fmt.Errorf("%w: record %s is not the one that was last written", audit.ErrBroken, name)
}
