package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits: systemd understands every word of the units, and judges the service
// and the backup to be exposed by 2.0 of 10 at most.
func TestUnits(t *testing.T) {
	need(t, "systemd-analyze")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sources, err := filepath.Glob("../deploy/systemd/kmproxy*.*")
	if err != nil || len(sources) != 4 {
		t.Fatalf("units: %q, %v", sources, err)
	}
	var units []string
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(dir, filepath.Base(source))
		here := strings.ReplaceAll(string(text), "/usr/local/bin/kmproxy", path) // it is not installed
		if err := os.WriteFile(unit, []byte(here), 0o600); err != nil {
			t.Fatal(err)
		}
		units = append(units, unit)
	}
	out, err := exec.Command("systemd-analyze", append([]string{"verify"}, units...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	for _, name := range []string{"kmproxy.service", "kmproxy-backup.service"} {
		out, err = exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20", filepath.Join(dir, name)).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security: %s: %v\n%s", name, err, out)
		}
		t.Logf("%s", out[max(0, strings.LastIndex(strings.TrimSpace(string(out)), "\n")):])
	}
}

// TestCommandsAsTheService: kmproxyctl gives a command in the service's namespace and
// name, with every argument as it was, and none at all while the service is down.
func TestCommandsAsTheService(t *testing.T) {
	need(t, "sh")
	dir := t.TempDir()
	tool := func(name, script string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	tool("nsenter", `printf '%s\n' "$USER" "$@"`)
	run := func(pid string) (string, error) {
		tool("systemctl", `case "$*" in *MainPID*) echo `+pid+` ;; *=UID*) echo 64001 ;; *=GID*) echo 64002 ;; esac`)
		c := exec.Command("../deploy/systemd/kmproxyctl", "project", "create", "--name", "two words")
		c.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "SUDO_USER=alice"}
		out, err := c.Output()
		return string(out), err
	}
	const want = "alice\n--target\n4711\n--mount\n--wd\n--setuid\n64001\n--setgid\n64002\n--\n/usr/local/bin/kmproxy\n--config\n/etc/kmproxy/config.toml\nproject\ncreate\n--name\ntwo words\n"
	if got, err := run("4711"); err != nil || got != want {
		t.Errorf("%v, %q", err, got)
	}
	if got, err := run("0"); err == nil || got != "" {
		t.Errorf("a service that is down: %v, %q", err, got)
	}
}
