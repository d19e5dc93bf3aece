package filestore

import (
	"errors"
	"os"
	"path/filepath"

	"kmproxy/keys/internal/disk"
)

const stagedSuffix = ".tmp"

// stage writes and syncs what is to become the file, beside it. A caller that
// fails later leaves it to discardStaged.
func stage(d disk.Disk, path string, write func(*disk.File) error) error {
	f, err := d.OpenFile(path+stagedSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = adopt(f, path)
	if err == nil {
		err = write(f)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// publish puts the staged file in the place of the one that stands. When it
// returns nil, the change outlives the power.
func publish(d disk.Disk, path string) error {
	if err := d.Rename(path+stagedSuffix, path); err != nil {
		return err
	}
	return d.SyncFolder(filepath.Dir(path))
}

func (s *Store) stage(path string, write func(*disk.File) error) error {
	return stage(s.disk, path, write)
}

func (s *Store) publish(path string) error { return publish(s.disk, path) }

// discardStaged removes what a commit that failed or crashed left behind.
func (s *Store) discardStaged() error {
	var failed error
	for _, name := range []string{logName, headName} {
		if err := s.disk.Remove(s.path(name + stagedSuffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
