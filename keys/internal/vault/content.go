package vault

import (
	"errors"

	"kmproxy/keys"
)

// CheckContent checks a store's content as far as that can be done without its
// master key: there is a seal record, every record is of a form known here, and
// each is the one that was last audited. It does not prove that the audit record
// itself is genuine: View.VerifyAll does. Errors: ErrDamaged, ErrRefused,
// audit.ErrBroken.
func CheckContent(s keys.Snapshot) error {
	switch _, ok, err := keys.ReadSeal(s); {
	case err != nil:
		return err
	case !ok:
		return errors.New("it holds nothing")
	}
	if _, err := SealedUnder(s); err != nil {
		return err
	}
	v := &View{Snapshot: s}
	t := Trail{digests: map[string]string{}}
	if err := t.read(v, inSequence); err != nil {
		return err
	}
	if t.broken != nil {
		return t.broken
	}
	return t.isAll(s)
}
