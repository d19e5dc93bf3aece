package keys

import "errors"

// CheckContent checks a store's content as far as that can be done without its
// master key: there is a seal record, every record is of a form known here, and
// each is the one that was last audited. It does not prove that the audit record
// itself is genuine: Manager.VerifyAudit does. Errors: ErrDamaged, ErrRefused,
// audit.ErrBroken.
func CheckContent(s Snapshot) error {
	switch _, ok, err := ReadSeal(s); {
	case err != nil:
		return err
	case !ok:
		return errors.New("it holds nothing")
	}
	if _, err := SealedUnder(s); err != nil {
		return err
	}
	v := &view{snap: s}
	t := told{wrote: map[string]string{}}
	if err := t.read(v, inSequence); err != nil {
		return err
	}
	if t.broken != nil {
		return t.broken
	}
	return t.isAll(s)
}
