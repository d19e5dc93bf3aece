package filestore

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"kmproxy/keys/internal/disk"
)

// ErrOwner reports that a change would leave files that the store's owner could
// not read any more. Nothing was changed.
var ErrOwner = errors.New("the store belongs to another user")

// mayChange refuses to write for a process that can neither be the owner of the
// files that stand nor give files to it. Only root can.
func (s *Store) mayChange() error {
	for _, name := range []string{lockName, headName, logName} {
		info, err := os.Lstat(s.path(name))
		if err != nil {
			continue // what is not there has no owner; the rest shows when it is opened
		}
		if uid, _ := owner(info); os.Geteuid() != 0 && uid != os.Geteuid() {
			return fmt.Errorf("%w: %s is of %s: give the command as that user or as root", ErrOwner, s.path(name), userName(uid))
		}
	}
	return nil
}

// model is the file whose owner a new file of a folder gets: the one that it
// replaces, else one that a store has for sure, else the folder.
func model(path string, is *disk.File) (os.FileInfo, error) {
	itself, err := is.Stat()
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	var failed error
	for _, like := range []string{path, filepath.Join(dir, logName), filepath.Join(dir, headName), dir} {
		info, err := os.Lstat(like)
		if err == nil && !os.SameFile(info, itself) {
			return info, nil
		}
		failed = err
	}
	return nil, failed
}

// adopt gives a new file that is to become path the owner of its model, and the
// mode of the file that it replaces. A process that is not root keeps what it
// makes: mayChange has found that it is the owner.
func adopt(f *disk.File, path string) error {
	if err := give(f, path); err != nil {
		return err
	}
	if replaced, err := os.Lstat(path); err == nil && replaced.Mode().IsRegular() {
		return f.Chmod(replaced.Mode().Perm())
	}
	return nil
}

// give is adopt for a file whose mode is right. The file may have its name already.
func give(f *disk.File, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	like, err := model(path, f)
	if err != nil {
		return err
	}
	uid, gid := owner(like)
	if err := f.Chown(uid, gid); err != nil {
		return fmt.Errorf("%w: %w", ErrOwner, err)
	}
	return nil
}

// makeFolder makes a folder with the owner of the one that it is in.
func makeFolder(d disk.Disk, path string) error {
	_, err := os.Lstat(path)
	if err := d.MakeFolder(path, 0o700); err != nil {
		return err
	}
	if !errors.Is(err, os.ErrNotExist) || os.Geteuid() != 0 {
		return nil
	}
	like, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	uid, gid := owner(like)
	return os.Lchown(path, uid, gid)
}

func owner(info os.FileInfo) (uid, gid int) {
	stat := info.Sys().(*syscall.Stat_t) // what package os gives on every Unix
	return int(stat.Uid), int(stat.Gid)
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return fmt.Sprintf("user %s (uid %d)", u.Username, uid)
	}
	return fmt.Sprintf("uid %d", uid)
}

// private refuses a folder or file that others may write: its content would be
// theirs. A group may write if this process is in it, as on a volume of
// Kubernetes with fsGroup.
func (s *Store) private() error {
	for _, path := range []string{s.dir, s.path(logName), s.path(headName)} {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		_, gid := owner(info)
		switch mode := info.Mode().Perm(); {
		case mode&0o002 != 0:
			return fmt.Errorf("%s may be written by others (mode %04o): chmod o-w it", path, mode)
		case mode&0o020 != 0 && os.Geteuid() != 0 && !inGroup(gid):
			return fmt.Errorf("%s may be written by group %d (mode %04o): chmod g-w it", path, gid, mode)
		}
	}
	return nil
}

func inGroup(gid int) bool {
	groups, err := os.Getgroups()
	if err != nil {
		return false
	}
	for _, g := range append(groups, os.Getegid()) {
		if g == gid {
			return true
		}
	}
	return false
}
