package cores_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"kmproxy/keys/internal/cores"
)

// TestEachOnce: every number comes once, and no other.
func TestEachOnce(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 128, 1000, 4099} {
		seen := make([]atomic.Int32, n)
		cores.Each(n, func(i int) { seen[i].Add(1) })
		for i := range seen {
			if times := seen[i].Load(); times != 1 {
				t.Errorf("of %d, number %d came %d times", n, i, times)
			}
		}
	}
}

func TestInOrder(t *testing.T) {
	var numbers []int
	for i := range 1000 {
		numbers = append(numbers, i)
	}
	if got := cores.Map(numbers, func(i int) int { return i }); !slices.Equal(got, numbers) {
		t.Error("what Map makes is out of order")
	}
	failed := errors.Join(cores.Errors(numbers, func(i int) error {
		if i%300 == 7 {
			return fmt.Errorf("number %d", i)
		}
		return nil
	})...)
	if want := "number 7\nnumber 307\nnumber 607\nnumber 907"; failed == nil || failed.Error() != want {
		t.Errorf("got %v", failed)
	}
	if failed := cores.Errors(numbers, func(int) error { return nil }); failed != nil {
		t.Errorf("nothing went wrong, but: %v", failed)
	}
}
