package wire_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/backup"
	"kmproxy/keys/filestore"
	"kmproxy/keys/manage"
)

// TestRestoreCountsOn: a restored store counts on from the backup's revision, and a
// file cannot bring it near the end of all revisions.
func TestRestoreCountsOn(t *testing.T) {
	of := config.Default(t.TempDir())
	m := manager(t, of)
	for _, id := range []keys.ASPID{"000000000000001", "000000000000002"} {
		if _, err := m.CreateProject(t.Context(), keys.Actor{Name: "test"}, manage.NewProject{ASPID: id}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := wire.WriteBackup(t.Context(), of, world, filepath.Join(t.TempDir(), "backup"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ claims, empty, onTop keys.Revision }{
		{2, 3, 3}, {40, 41, 41}, {1<<64 - 1, 1, 42}, {1<<40 + 1, 1, 43},
	} {
		b.Store.Revision = tt.claims
		file := backupFile(t, b)
		into := config.Default(t.TempDir())
		into.MasterKey = of.MasterKey
		wantRevision(t, into, file, tt.empty)
		wantRevision(t, of, file, tt.onTop)
	}
}

func backupFile(t *testing.T, b backup.Backup) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "backup"))
	if err == nil {
		err = errors.Join(backup.Write(f, b), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// wantRevision restores a file and wants the store to have that revision then.
func wantRevision(t *testing.T, c config.Config, file string, want keys.Revision) {
	t.Helper()
	if _, err := wire.Restore(t.Context(), c, world, keys.Actor{Name: "test"}, file, true); err != nil {
		t.Fatal(err)
	}
	store, err := filestore.Open(c.Store.Dir)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := store.Load(t.Context())
	if err != nil || snap.Revision != want {
		t.Errorf("revision %d, want %d: %v", snap.Revision, want, err)
	}
}
