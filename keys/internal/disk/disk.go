// Package disk is how a store changes files: one place that every change passes,
// so that a test can see each of them, refuse it, or play a power cut between two.
// Reading needs no such place and goes to package os.
package disk

import (
	"errors"
	"os"
)

// Act is a kind of change.
type Act string

// The kinds of change. Sync and SyncFolder change nothing but what a power cut
// can take back.
const (
	Create     Act = "create"
	Write      Act = "write"
	Truncate   Act = "truncate"
	Sync       Act = "sync"
	Rename     Act = "rename"
	Remove     Act = "remove"
	MakeFolder Act = "make folder"
	SyncFolder Act = "sync folder"
)

// Op is one change that is about to be made.
type Op struct {
	Act  Act
	Path string // as the file was opened
	To   string // Rename: the new path
	At   int64  // Write: the offset; Truncate: the new size
	Data []byte // Write: only good until the call returns
}

// Disk changes files. The zero Disk is the machine's file system. A Disk is safe
// for concurrent use if Before is.
type Disk struct {
	// Before, if set, learns of each change before it is made; with an error the
	// change is not made and fails with it.
	Before func(Op) error
	// Unsynced leaves the syncs out, which a test that only records them need not
	// wait for.
	Unsynced bool
}

func (d Disk) before(op Op) error {
	if d.Before == nil {
		return nil
	}
	return d.Before(op)
}

// OpenFile is os.OpenFile.
func (d Disk) OpenFile(path string, flag int, mode os.FileMode) (*File, error) {
	if flag&os.O_CREATE != 0 {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			if err := d.before(Op{Act: Create, Path: path}); err != nil {
				return nil, err
			}
		}
	}
	f, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	return &File{File: f, disk: d}, nil
}

// Rename is os.Rename.
func (d Disk) Rename(from, to string) error {
	if err := d.before(Op{Act: Rename, Path: from, To: to}); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Remove is os.Remove.
func (d Disk) Remove(path string) error {
	if err := d.before(Op{Act: Remove, Path: path}); err != nil {
		return err
	}
	return os.Remove(path)
}

// MakeFolder is os.Mkdir, but content with a folder that is there.
func (d Disk) MakeFolder(path string, mode os.FileMode) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if err := d.before(Op{Act: MakeFolder, Path: path}); err != nil {
		return err
	}
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// SyncFolder makes durable which names the folder holds.
func (d Disk) SyncFolder(path string) error {
	if err := d.before(Op{Act: SyncFolder, Path: path}); err != nil {
		return err
	}
	if d.Unsynced {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
