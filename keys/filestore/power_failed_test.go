package filestore_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"kmproxy/keys/internal/disk"
	"kmproxy/keys/internal/disk/disktest"
)

// TestPowerCutsAfterFailures lets each change of the disk fail in turn, for a process
// that lives on and for one that dies of it. Then the next process commits, and the
// power is cut after each change that it makes.
func TestPowerCutsAfterFailures(t *testing.T) {
	for name, once := range map[string]bool{"one change fails": true, "the process dies": false} {
		t.Run(name, func(t *testing.T) {
			failures := 0
			for failsAt := 0; ; failsAt++ {
				failed, err := cutAfterFailure(t, &disktest.Journal{}, failsAt, once)
				if err != nil {
					t.Errorf("change %d failed: %v", failsAt, err)
				}
				if !failed {
					break
				}
				failures++
			}
			if failures < 30 {
				t.Errorf("only %d changes failed", failures)
			}
		})
	}
}

// TestRepairSyncsTheName lets a process die between renaming a file and syncing the
// folder, and takes from the next process the sync that comes before its own commit.
func TestRepairSyncsTheName(t *testing.T) {
	for failsAt := 0; ; failsAt++ {
		failed, err := cutAfterFailure(t, &disktest.Journal{Ignore: syncByRepair}, failsAt, false)
		if err != nil {
			return
		}
		if !failed {
			t.Fatal("no power cut shows that it is missing")
		}
	}
}

// syncByRepair is the sync that comes right after staged files were removed.
func syncByRepair(before []disk.Op, op disk.Op) bool {
	last := before[len(before)-1]
	return op.Act == disk.SyncFolder && filepath.Base(op.Path) == "store" && last.Act == disk.Remove
}

// cutAfterFailure makes commits up to the one that fails, if any does, one more by
// another process, and cuts the power everywhere in that.
func cutAfterFailure(t *testing.T, j *disktest.Journal, failsAt int, once bool) (failed bool, _ error) {
	p := newPowered(t, j)
	seen := 0
	j.Fail = func(disk.Op) bool {
		seen++
		return seen-1 == failsAt || !once && seen > failsAt
	}
	s := p.store(t)
	for _, c := range commits()[:3] {
		base := load(t, s).Revision
		if _, err := s.Commit(t.Context(), base, c...); err != nil {
			failed = true
			break
		}
		p.ack(t, s)
	}
	j.Fail = nil
	return failed, p.goOn(t, failed)
}

// goOn commits once more. Until that is acknowledged, a commit that failed may stand
// or not; what was acknowledged before it stands.
func (p *powered) goOn(t *testing.T, failed bool) error {
	before := p.acked[len(p.acked)-1].what
	s, from := p.store(t), len(p.journal.Ops)
	left := content{snap: load(t, s)}
	if !failed && !left.same(before) {
		return fmt.Errorf("it holds %s after %s", left, before)
	}
	after := content{snap: commit(t, s, set("next", `1`))}
	for n := from; n <= len(p.journal.Ops); n++ {
		allowed := []content{before, left, after}
		if n == len(p.journal.Ops) {
			allowed = allowed[2:]
		}
		if err := p.cut(t, n, allowed...); err != nil {
			return fmt.Errorf("then a power cut after %d changes, the last being %s: %w", n, p.describe(n), err)
		}
	}
	return nil
}
