package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/backup"
	"kmproxy/keys/manage"
)

var world = wire.World{Getenv: os.Getenv, Now: time.Now}

func manager(t *testing.T, c config.Config) *manage.Manager {
	t.Helper()
	vault, err := wire.OpenVault(t.Context(), c, world, wire.ToWrite)
	if err != nil {
		t.Fatal(err)
	}
	m, err := vault.Manager(t.Context(), c, world)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestBackupDuringWrites: every backup that is made while others write can be
// restored and is the store at one moment, as the audit record shows.
func TestBackupDuringWrites(t *testing.T) {
	c := config.Default(t.TempDir())
	m := manager(t, c)
	create := func(n int) {
		if _, err := m.CreateProject(context.Background(), keys.Actor{Name: "test"}, manage.NewProject{ASPID: keys.ASPID(fmt.Sprintf("%015d", n))}); err != nil {
			t.Error(err)
		}
	}
	create(0)
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 1; ctx.Err() == nil && !t.Failed(); n++ {
			create(n)
		}
	})
	seen := map[keys.Revision]bool{}
	for i := 0; i < 20 || len(seen) < 5; i++ {
		file := filepath.Join(t.TempDir(), "backup")
		b, err := wire.WriteBackup(t.Context(), c, world, file)
		if err != nil {
			t.Fatal(err)
		}
		seen[b.Store.Revision] = true
		wantRestored(t, c, file, int(b.Store.Revision))
	}
	stop()
	writer.Wait()
}

// wantRestored restores into another folder and wants that many entries.
func wantRestored(t *testing.T, from config.Config, file string, entries int) {
	t.Helper()
	c := config.Default(t.TempDir())
	c.MasterKey = from.MasterKey
	if _, err := wire.Restore(t.Context(), c, world, keys.Actor{Name: "test"}, file, false); err != nil {
		t.Fatal(err)
	}
	m := manager(t, c)
	n, err := m.VerifyAudit(t.Context())
	if err != nil || n != entries {
		t.Errorf("the audit record has %d entries, want %d: %v", n, entries, err)
	}
	if list, err := m.Projects(t.Context()); err != nil || len(list) != entries {
		t.Errorf("%d projects, want %d: %v", len(list), entries, err)
	}
}

func TestBackupNeverOverwrites(t *testing.T) {
	c := config.Default(t.TempDir())
	file := filepath.Join(t.TempDir(), "backup")
	if _, err := wire.WriteBackup(t.Context(), c, world, file); !errors.Is(err, wire.ErrNoStore) {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := manager(t, c).CreateProject(t.Context(), keys.Actor{Name: "test"}, manage.NewProject{ASPID: "000000000000001"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.WriteBackup(t.Context(), c, world, file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "mine" {
		t.Errorf("the file is %q, %v", content, err)
	}
	if _, err := wire.Restore(t.Context(), c, world, keys.Actor{Name: "test"}, file, true); !errors.Is(err, backup.ErrBad) {
		t.Errorf("from another file: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
