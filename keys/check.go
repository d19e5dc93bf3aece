package keys

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MaxNameLen is the longest name of a project, in bytes.
const MaxNameLen = 200

// The lengths of a secret key that may be brought along, in bytes. The shortest
// are as short as the ones that are in use; those made here have 52.
const (
	MinSecretLen = 6
	MaxSecretLen = 512
)

// CheckName wants a project's name that is safe to print on a terminal and in a
// log. Its error is ErrRefused.
func CheckName(name string) error {
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
