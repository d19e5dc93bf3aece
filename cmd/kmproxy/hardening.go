package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// harden keeps what is in memory out of core dumps and from other processes of the
// same user, and gives new files to this user alone.
func harden() error {
	unix.Umask(0o077)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("turning core dumps off: %w", err)
	}
	return undumpable()
}
