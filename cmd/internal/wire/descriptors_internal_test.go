package wire

import (
	"testing"

	"kmproxy/cmd/internal/config"
)

// TestShrink: connections and calls together fit in what there is, and one
// address keeps its part of the whole.
func TestShrink(t *testing.T) {
	l := config.Limits{Connections: 1000, ConnectionsPerAddress: 500, UpstreamCalls: 100}
	for room, want := range map[int][3]int{ // connections, of one address, calls
		1000: {900, 450, 100},
		192:  {128, 64, 64},
		3:    {4, 2, 2},
		-10:  {4, 2, 2},
	} {
		got := shrink(l, room)
		if [3]int{got.Connections, got.ConnectionsPerAddress, got.UpstreamCalls} != want {
			t.Errorf("room for %d: %+v, want %v", room, got, want)
		}
	}
}
