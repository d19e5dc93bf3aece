package wire_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kmproxy/cmd/internal/config"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

// TestRootMakesTheStoreForItsUser wants all that root makes in the folder of
// another user to be that user's, the master key as well.
func TestRootMakesTheStoreForItsUser(t *testing.T) {
	const other = 65532
	dir := t.TempDir()
	if err := errors.Join(os.Chown(dir, other, other), os.Chmod(dir, 0o700)); err != nil {
		t.Fatalf("this test wants to be root: %v", err)
	}
	m := manager(t, config.Default(dir))
	if _, err := m.CreateProject(t.Context(), keys.Actor{Name: "test"}, manage.NewProject{ASPID: "000000000000001"}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != other {
			t.Errorf("%s is not of uid %d", path, other)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
