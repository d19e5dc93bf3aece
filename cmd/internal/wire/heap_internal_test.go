package wire

import (
	"runtime/debug"
	"testing"
)

// TestHeapFloor: the percentage is ours unless the environment names one.
func TestHeapFloor(t *testing.T) {
	const others = 77
	before := debug.SetGCPercent(others)
	defer debug.SetGCPercent(before)
	for value, want := range map[string]int{"77": others, "": heapPercent} {
		floor := newHeapFloor(World{Getenv: func(name string) string { return map[string]string{"GOGC": value}[name] }})
		if got := debug.SetGCPercent(others); got != want || len(floor) != heapFloor {
			t.Errorf("GOGC=%q: %d %%, a floor of %d bytes", value, got, len(floor))
		}
	}
}
