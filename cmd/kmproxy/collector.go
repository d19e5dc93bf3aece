package main

import (
	"runtime/debug"

	"kmproxy/cmd/internal/wire"
)

// collect makes the garbage collector run as a Gateway needs it. Where the variables
// GOGC and GOMEMLIMIT are set, Go's runtime goes by them instead. The caller keeps the
// floor until the Gateway has ended; it takes no memory from the system.
func (e *env) collect(c wire.Collector) (floor []byte) {
	if e.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(c.LimitBytes)
	}
	if e.getenv("GOGC") == "" {
		debug.SetGCPercent(c.Percent)
	}
	return make([]byte, c.FloorBytes)
}
