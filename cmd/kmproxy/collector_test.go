package main

import (
	"runtime/debug"
	"testing"

	"kmproxy/cmd/internal/wire"
)

// TestCollect: percentage and limit are ours unless the environment names others.
func TestCollect(t *testing.T) {
	const theirs, ours = 1 << 40, 1 << 41
	limit, percent := debug.SetMemoryLimit(theirs), debug.SetGCPercent(77)
	defer func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) }()
	tests := []struct {
		set         string
		wantLimit   int64
		wantPercent int
	}{
		{"GOMEMLIMIT", theirs, 20},
		{"GOGC", ours, 77},
		{"", ours, 20},
	}
	for _, tt := range tests {
		e := &env{getenv: func(name string) string { return map[string]string{tt.set: "set"}[name] }}
		floor := e.collect(wire.Collector{Percent: 20, FloorBytes: 100, LimitBytes: ours})
		gotLimit, gotPercent := debug.SetMemoryLimit(theirs), debug.SetGCPercent(77)
		if gotLimit != tt.wantLimit || gotPercent != tt.wantPercent || len(floor) != 100 {
			t.Errorf("%q is set: limit %d, %d %%, a floor of %d bytes", tt.set, gotLimit, gotPercent, len(floor))
		}
	}
}
