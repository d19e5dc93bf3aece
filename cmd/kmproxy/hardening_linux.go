package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// undumpable keeps debuggers of the same user away: prctl(2), PR_SET_DUMPABLE.
func undumpable() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("making the process undumpable: %w", err)
	}
	return nil
}
