package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits: systemd understands every word of the units, and judges the service
// to be exposed by 2.0 of 10 at most.
func TestUnits(t *testing.T) {
	need(t, "systemd-analyze")
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sources, err := filepath.Glob("../deploy/systemd/kmproxy*")
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
	out, err = exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20", filepath.Join(dir, "kmproxy.service")).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	t.Logf("%s", out[max(0, strings.LastIndex(strings.TrimSpace(string(out)), "\n")):])
}
