package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool builds one of the module's tools and is where it is. On a laptop without
// the tools' modules the test is skipped; in CI it fails.
func tool(t *testing.T, pkg string) string {
	t.Helper()
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "tool", "-modfile=tools.mod", "-n", pkg)
	build.Dir = filepath.Dir(strings.TrimSpace(string(mod)))
	path, err := build.Output()
	if err != nil {
		missing(t, "%s cannot be built, run make setup: %v", pkg, err)
	}
	return strings.TrimSpace(string(path))
}

// need skips a test whose program is missing on a laptop; CI has them all.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		missing(t, "%s is missing: run make setup", program)
	}
}

func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
