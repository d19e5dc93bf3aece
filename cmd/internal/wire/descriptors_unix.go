//go:build unix

package wire

import (
	"math"

	"golang.org/x/sys/unix"
)

// raiseDescriptors raises the limit of open descriptors to need, or as far as it
// may. It returns the limit in force, and false if it cannot be told.
func raiseDescriptors(need int) (have int, known bool) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	if wanted := min(limit.Max, uint64(need)); limit.Cur < wanted {
		raised := limit
		raised.Cur = wanted
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err == nil {
			limit = raised
		}
	}
	return int(min(limit.Cur, math.MaxInt32)), true
}
