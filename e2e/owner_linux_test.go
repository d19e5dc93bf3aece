package e2e_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// other is the uid and gid of a service that is not root.
const other = 65532

// giveAway gives that user the folder with all that is in it.
func (g *gateway) giveAway(t *testing.T) {
	t.Helper()
	if err := os.Chmod(filepath.Dir(g.dir), 0o711); err != nil { // the folder that testing made
		t.Fatal(err)
	}
	err := filepath.WalkDir(g.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, other, other)
	})
	if err != nil {
		t.Fatalf("this test must run as root: %v", err)
	}
}

// startAsOther serves as that user.
func (g *gateway) startAsOther(t *testing.T) {
	t.Helper()
	cmd := g.command(t, "serve")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	g.startAs(t, cmd)
}

// TestStoreUnreadable: a running gateway that may not read its store any more serves
// on with the keys that it holds, says why, and follows the store once it may.
func TestStoreUnreadable(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	good, suspended := newProvider(t, g, 1), newProvider(t, g, 2)
	g.run(t, "key", "suspend", string(suspended.KeyID))
	g.giveAway(t)
	g.startAsOther(t)
	good.connect(t, g.roots(t))
	suspended.connect(t, g.roots(t))
	data := filepath.Join(g.dir, "data")
	log := filepath.Join(data, "log.jsonl")
	for name, tt := range map[string]struct{ spoil, mend func() error }{
		"folder of mode 000":     {func() error { return os.Chmod(data, 0) }, func() error { return os.Chmod(data, 0o700) }},
		"log of mode 000":        {func() error { return os.Chmod(log, 0) }, func() error { return os.Chmod(log, 0o600) }},
		"folder of another user": {func() error { return os.Chown(data, 0, 0) }, func() error { return os.Chown(data, other, other) }},
		"log of another user":    {func() error { return os.Chown(log, 0, 0) }, func() error { return os.Chown(log, other, other) }},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tt.spoil(); err != nil {
				t.Fatal(err)
			}
			soon(t, "readiness names the trouble", func() bool { return g.readySaying(t, "permission denied") })
			for range 3 {
				if err := good.ask(t.Context(), name); err != nil {
					t.Errorf("a key in use: %v", err)
				}
				if err := suspended.knock(t.Context(), name); !refusedWith(err, http.StatusBadRequest) {
					t.Errorf("a suspended key: %v", err)
				}
			}
			if err := tt.mend(); err != nil {
				t.Fatal(err)
			}
			soon(t, "the store is followed again", func() bool { return g.readySaying(t, "ok\n") && !g.readySaying(t, "not followed") })
		})
	}
	g.run(t, "key", "resume", string(suspended.KeyID))
	soon(t, "a change after all that is followed", func() bool { return suspended.ask(t.Context(), "resumed") == nil })
	g.stop(t)
}

// TestStoreWrittenByRoot: a command of root in the store of another user keeps the
// owner and mode of each file; the running gateway follows, and starts again.
func TestStoreWrittenByRoot(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	good, suspended := newProvider(t, g, 1), newProvider(t, g, 2)
	g.giveAway(t)
	g.startAsOther(t)
	good.connect(t, g.roots(t))
	suspended.connect(t, g.roots(t))
	if err := suspended.ask(t.Context(), "before"); err != nil {
		t.Fatal(err)
	}
	before := g.dataModes(t)
	g.run(t, "key", "suspend", string(suspended.KeyID))
	soon(t, "the suspended key is refused", func() bool { return refusedWith(suspended.knock(t.Context(), "suspended"), http.StatusBadRequest) })
	for name, mode := range g.dataModes(t) {
		if old, was := before[name]; was && old != mode {
			t.Errorf("%s had mode %v and has %v", name, old, mode)
		}
	}
	g.stop(t)
	g.startAsOther(t)
	if err := good.ask(t.Context(), "after"); err != nil {
		t.Error(err)
	}
	if err := suspended.knock(t.Context(), "after"); !refusedWith(err, http.StatusBadRequest) {
		t.Errorf("a suspended key after a start: %v", err)
	}
	g.stop(t)
}

// dataModes are the modes of what is in the data folder, each of which must be the
// other user's.
func (g *gateway) dataModes(t *testing.T) map[string]fs.FileMode {
	t.Helper()
	modes := map[string]fs.FileMode{}
	err := filepath.WalkDir(filepath.Join(g.dir, "data"), func(path string, _ fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = os.Lstat(path)
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) { // the gateway has renamed it
				return nil
			}
			return err
		}
		if is := info.Sys().(*syscall.Stat_t); is.Uid != other || is.Gid != other {
			t.Errorf("%s is of %d:%d", path, is.Uid, is.Gid)
		}
		modes[path] = info.Mode()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return modes
}
