package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// closeUp keeps what is in memory out of core dumps and from other processes of
// the same user, and new files from everybody else.
func closeUp() error {
	unix.Umask(0o077)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("turning core dumps off: %w", err)
	}
	return undumpable()
}
