package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestProcessKeepsToItself: no core dump, no debugger of the same user, and new
// files are the owner's alone.
func TestProcessKeepsToItself(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it is read from /proc")
	}
	g := newGateway(t, newUpstream(t).URL, "")
	newProvider(t, g, 1)
	cmd := g.command(t, "serve")
	if os.Getuid() == 0 { // root may debug whomever it likes: be somebody else
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		give(t, g.dir, 65534)
		open(t, cmd.Path)
		open(t, g.dir)
	}
	g.startAs(t, cmd)
	proc := fmt.Sprintf("/proc/%d/", g.child.Process.Pid)
	for file, want := range map[string]string{
		"limits": `(?m)^Max core file size +0 +0 `,
		"status": `(?m)^Umask:\s+0077$`,
	} {
		content, err := os.ReadFile(proc + file)
		if err != nil || !regexp.MustCompile(want).Match(content) {
			t.Errorf("%s has no %s: %v\n%s", file, want, err, content)
		}
	}
	info, err := os.Stat(proc + "environ") // root's own, where the process is not dumpable
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("the process is dumpable: %v, %v", info, err)
	}
	err = filepath.WalkDir(filepath.Join(g.dir, "data"), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(path, "ca.pem") {
			t.Errorf("%s is open to others: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	g.stop(t)
}

// give makes a folder and all in it a user's.
func give(t *testing.T, dir string, uid int) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, uid)
	}); err != nil {
		t.Fatal(err)
	}
}

// open lets everybody through the temporary folders above a path.
func open(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
