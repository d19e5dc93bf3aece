package wire

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// makeFolders is os.MkdirAll with mode 0700. What root makes gets the owner of the
// folder that it is in: a service that is not root uses it.
func makeFolders(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := makeFolders(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return giveTo(parent, func(uid, gid int) error { return os.Lchown(path, uid, gid) })
}

// giveTo calls change with the owner of a folder if this process is root.
func giveTo(folder string, change func(uid, gid int) error) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	return change(int(owner.Uid), int(owner.Gid))
}
