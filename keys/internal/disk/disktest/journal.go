// Package disktest plays power cuts: it records what is done to a disk, and makes the
// folders that a power cut after any of it could leave.
package disktest

import (
	"bytes"
	"errors"

	"kmproxy/keys/internal/disk"
)

// errFailed is what a change fails with that Fail refuses.
var errFailed = errors.New("the disk failed")

// Journal is every change that was made to a disk. It is for one goroutine.
type Journal struct {
	Ops []disk.Op
	// Ignore, if set, reports whether a sync is to have no effect, given the changes
	// before it. That is the disk of a program without this sync.
	Ignore func(before []disk.Op, op disk.Op) bool
	// Fail, if set, reports whether the next change fails and is not made.
	Fail func(op disk.Op) bool
}

// Disk is the machine's disk, with everything recorded and nothing synced.
func (j *Journal) Disk() disk.Disk {
	return disk.Disk{Unsynced: true, Before: func(op disk.Op) error {
		if j.Fail != nil && j.Fail(op) {
			return errFailed
		}
		op.Data = bytes.Clone(op.Data)
		j.Ops = append(j.Ops, op)
		return nil
	}}
}

// After is the disk as it stands after the first n changes, given the folder in which
// all of them were made. That folder was there before, durable and empty.
func (j *Journal) After(root string, n int) *State {
	s := &State{path: root, root: newNode()}
	for i, op := range j.Ops[:n] {
		isSync := op.Act == disk.Sync || op.Act == disk.SyncFolder
		if isSync && j.Ignore != nil && j.Ignore(j.Ops[:i], op) {
			continue
		}
		s.apply(op)
	}
	return s
}
