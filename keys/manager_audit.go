package keys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

// Audit returns the record of every change, the first one first. It does not
// verify it.
func (m *Manager) Audit(ctx context.Context) ([]audit.Entry, error) {
	v, err := m.view(ctx)
	if err != nil {
		return nil, err
	}
	return v.readEntries(v.entryNames(0))
}

// VerifyAudit checks that the chain holds from its first entry on, that every
// record opens, and that every record is the one that was last audited, so that
// none was edited, put back, added or taken away. It names all that is wrong:
// audit.ErrBroken, ErrDamaged.
func (m *Manager) VerifyAudit(ctx context.Context) (entries int, err error) {
	v, err := m.view(ctx)
	if err != nil {
		return 0, err
	}
	if !v.sealed {
		return 0, nil
	}
	t, err := v.chain()
	if err != nil {
		return 0, err
	}
	return len(v.entryNames(0)), t.verify(v)
}

// chain reads the whole audit record and checks it under its own key. The error is
// that of what cannot be read; whether the chain holds is in told.broken.
func (v *view) chain() (told, error) {
	t := told{wrote: map[string]string{}}
	key, err := v.auditKey()
	if err != nil {
		return t, err
	}
	return t, t.read(v, key.VerifyAfter)
}

// verify names all that is wrong with the content that t was read of.
func (t *told) verify(v *view) error {
	return errors.Join(t.broken, v.openAll(), t.isAll(v.snap))
}

// openAll wants every record to open. Its error names all that do not.
func (v *view) openAll() error {
	failed := cores.Errors(v.names(), func(name string) error {
		_, err := show(v.master, name, v.snap.Entries[name].Value)
		return err
	})
	names, err := sealedNames(v.snap)
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	others := slices.DeleteFunc(names, isProject)
	return errors.Join(append(failed, cores.Errors(others, v.opens)...)...)
}

// opens wants one record to open.
func (v *view) opens(name string) error {
	value := v.snap.Entries[name].Value
	if o, ok := outlineOf(value); ok && v.master.Proves(record{Version: o.version}.place(name), o.plain, o.sealed) {
		return nil
	}
	r, err := readSealed(name, value)
	if err != nil {
		return err
	}
	hidden, err := r.open(v.master, name)
	hidden.Wipe()
	return err
}

// checkWrote wants a store to hold the records whose digests are in wrote, and no
// others. It names all that is wrong. isOf compares, and is called by many at once.
func checkWrote(s Snapshot, wrote map[string]string, isOf func(name string, value []byte, digest string) bool) error {
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
