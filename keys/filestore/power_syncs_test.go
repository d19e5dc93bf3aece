package filestore_test

import (
	"path/filepath"
	"testing"

	"kmproxy/keys/internal/disk"
	"kmproxy/keys/internal/disk/disktest"
)

// TestEachSyncIsNeeded takes the syncs away, one kind at a time: each time a power cut
// loses what was acknowledged, or damages the store.
func TestEachSyncIsNeeded(t *testing.T) {
	for _, c := range []struct {
		name, series string
		ignore       func(before []disk.Op, op disk.Op) bool
	}{
		{"line of the log", "commits", syncOf("log.jsonl")},
		{"staged log", "commits", syncOf("log.jsonl.tmp")},
		{"staged head", "commits", syncOf("head.json.tmp")},
		{"staged ledger", "ledgers", syncOf("0.json.tmp")},
		{"folder after the log was renamed", "commits", syncAfter("log.jsonl")},
		{"folder after the head was renamed", "commits", syncAfter("head.json")},
		{"folder of the ledgers", "ledgers", syncAfter("0.json")},
		{"folder that holds the store", "commits", syncOfParent},
		{"folder that holds the store, by a ledger", "ledgers", syncOfParent},
		{"folder that holds the folder of the ledgers", "ledgers", syncAfterMaking("usage")},
	} {
		t.Run(c.name, func(t *testing.T) {
			ignored := 0
			p := newPowered(t, &disktest.Journal{Ignore: func(before []disk.Op, op disk.Op) bool {
				ignore := c.ignore(before, op)
				if ignore {
					ignored++
				}
				return ignore
			}})
			series()[c.series](t, p)
			err := p.cutEverywhere(t, 0)
			if ignored == 0 {
				t.Fatal("there is no such sync")
			}
			if err == nil {
				t.Error("no power cut shows that it is missing")
			}
			t.Log(err)
		})
	}
}

func syncOf(name string) func([]disk.Op, disk.Op) bool {
	return func(_ []disk.Op, op disk.Op) bool {
		return op.Act == disk.Sync && filepath.Base(op.Path) == name
	}
}

// syncAfter is the sync of a folder right after a file was given this name.
func syncAfter(name string) func([]disk.Op, disk.Op) bool {
	return func(before []disk.Op, op disk.Op) bool {
		last := before[len(before)-1]
		return op.Act == disk.SyncFolder && last.Act == disk.Rename && filepath.Base(last.To) == name
	}
}

func syncAfterMaking(name string) func([]disk.Op, disk.Op) bool {
	return func(before []disk.Op, op disk.Op) bool {
		last := before[len(before)-1]
		return op.Act == disk.SyncFolder && last.Act == disk.MakeFolder && filepath.Base(last.Path) == name
	}
}

func syncOfParent(_ []disk.Op, op disk.Op) bool {
	return op.Act == disk.SyncFolder && filepath.Base(op.Path) != "store" && filepath.Base(op.Path) != "usage"
}
