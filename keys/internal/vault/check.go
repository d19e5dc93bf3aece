package vault

import (
	"errors"
	"fmt"

	"kmproxy/keys"
)

// errDefect reports a project that no act may make. No input causes it: it is the
// last look before something wrong would last.
var errDefect = errors.New("defect in kmproxy")

// check refuses what must never be written, whichever act decided on it.
func (p Project) check() error {
	if _, err := keys.ParseASPID(string(p.ASPID)); err != nil {
		return fmt.Errorf("%w: %w", errDefect, err)
	}
	for _, c := range p.Credentials {
		if p.credentials[c.AccessKey].Len() < keys.MinSecretLen {
			return fmt.Errorf("%w: access key %s without a secret", errDefect, c.AccessKey)
		}
	}
	known, active := map[keys.KeyID]bool{}, 0
	for _, k := range p.Keys {
		if err := p.checkKey(k); err != nil {
			return fmt.Errorf("%w: key %s %w", errDefect, k.ID, err)
		}
		if known[k.ID.Fold()] {
			return fmt.Errorf("%w: key %s twice", errDefect, k.ID)
		}
		known[k.ID.Fold()] = true
		if k.State == keys.Active {
			active++
		}
	}
	if active > 1 {
		return fmt.Errorf("%w: %d active keys", errDefect, active)
	}
	return nil
}

func (p Project) checkKey(k keys.Key) error {
	has := p.private[k.ID].Len() > 0
	switch {
	case k.ASPID != p.ASPID:
		return fmt.Errorf("of project %s", k.ASPID)
	case !k.State.Valid():
		return fmt.Errorf("in %s", k.State)
	case k.Allowed.Empty():
		return errors.New("is allowed no algorithm")
	case k.State == keys.Discarded && has:
		return errors.New("is discarded and has its private half")
	case k.State != keys.Discarded && !has:
		return errors.New("has no private half")
	}
	return nil
}
