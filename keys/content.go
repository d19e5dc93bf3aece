package keys

import (
	"errors"
	"fmt"
)

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
	list, err := v.entries()
	if err != nil {
		return err
	}
	for i, e := range list {
		if e.Seq != uint64(i+1) {
			return damaged(auditName(e.Seq), fmt.Errorf("entry %d is missing", i+1))
		}
	}
	return v.checkAudited(list)
}
