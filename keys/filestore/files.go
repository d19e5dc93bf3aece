package filestore

import (
	"errors"
	"os"
	"path/filepath"
)

const stagedSuffix = ".tmp"

// stage writes and syncs what is to become the file, beside it. A caller that
// fails later leaves it to discardStaged.
func stage(path string, write func(*os.File) error) error {
	f, err := os.OpenFile(path+stagedSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// publish puts the staged file in the place of the one that stands. When it
// returns nil, the change outlives the power.
func publish(path string) error {
	if err := os.Rename(path+stagedSuffix, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// discardStaged removes what a commit that failed or crashed left behind.
func (s *Store) discardStaged() error {
	var failed error
	for _, name := range []string{logName, headName} {
		if err := os.Remove(s.path(name + stagedSuffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
