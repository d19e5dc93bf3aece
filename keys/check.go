package keys

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxNameLen is the longest name of a project, in bytes.
const MaxNameLen = 200

// errDefect reports a project that no act may make. Nobody can cause it from
// outside: it is the last look before something wrong would last.
var errDefect = errors.New("defect in kmproxy")

// check refuses what must never be written, whichever act decided on it.
func (p Project) check() error {
	if _, err := ParseASPID(string(p.ASPID)); err != nil {
		return fmt.Errorf("%w: %w", errDefect, err)
	}
	for _, c := range p.Credentials {
		if c.secret.Len() < MinSecretLen {
			return fmt.Errorf("%w: access key %s without a secret", errDefect, c.AccessKey)
		}
	}
	known, active := map[KeyID]bool{}, 0
	for _, k := range p.Keys {
		if err := k.check(p.ASPID); err != nil {
			return fmt.Errorf("%w: key %s %w", errDefect, k.ID, err)
		}
		if known[k.ID.fold()] {
			return fmt.Errorf("%w: key %s twice", errDefect, k.ID)
		}
		known[k.ID.fold()] = true
		if k.State == Active {
			active++
		}
	}
	if active > 1 {
		return fmt.Errorf("%w: %d active keys", errDefect, active)
	}
	return nil
}

func (k Key) check(owner ASPID) error {
	switch {
	case k.ASPID != owner:
		return fmt.Errorf("of project %s", k.ASPID)
	case !k.State.Valid():
		return fmt.Errorf("in %s", k.State)
	case k.Allowed.Empty():
		return errors.New("is allowed no algorithm")
	case k.State == Discarded && k.private.Len() > 0:
		return errors.New("is discarded and has its private half")
	case k.State != Discarded && k.private.Len() == 0:
		return errors.New("has no private half")
	}
	return nil
}

// checkName wants a name that is safe to print on a terminal and in a log.
func checkName(name string) error {
	if len(name) > MaxNameLen {
		return fmt.Errorf("%w: the name is longer than %d bytes", ErrRefused, MaxNameLen)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("%w: the name is not UTF-8", ErrRefused)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%w: the name has the character %U, which does not print", ErrRefused, r)
		}
	}
	return nil
}
