package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kmproxy/cmd/internal/config"
)

const deploy = "../../../deploy"

// TestDeployedConfigs: what is shipped for machines and clusters is a good config.
func TestDeployedConfigs(t *testing.T) {
	for name, text := range map[string]string{
		"systemd":    content(t, "systemd/config.toml"),
		"kubernetes": inConfigMap(t, content(t, "kubernetes/kmproxy.yaml")),
	} {
		c, err := config.Parse("config.toml", []byte(text), "/etc/kmproxy")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.TLS.Mode != config.TLSFiles || c.Store.Dir != "/var/lib/kmproxy/data" || !strings.HasPrefix(c.MasterKey.Source.Path, "/run/") {
			t.Errorf("%s: got %+v", name, c)
		}
	}
}

// TestUnitLendsWhatTheConfigNames: each secret that the config takes from systemd is
// one that the unit lends.
func TestUnitLendsWhatTheConfigNames(t *testing.T) {
	unit := content(t, "systemd/kmproxy.service")
	named := regexp.MustCompile(`/run/credentials/kmproxy\.service/([a-z.]+)"`).FindAllStringSubmatch(content(t, "systemd/config.toml"), -1)
	if len(named) != 3 {
		t.Errorf("it names %d secrets: %q", len(named), named)
	}
	for _, m := range named {
		if !strings.Contains(unit, "\nLoadCredential="+m[1]+":/etc/kmproxy/"+m[1]+"\n") {
			t.Errorf("%s is not lent", m[1])
		}
	}
}

// TestUnitsAreBounded: the service is always started again, and what both units may take
// of memory is bounded above what the default limits let callers take.
func TestUnitsAreBounded(t *testing.T) {
	service, backup := content(t, "systemd/kmproxy.service"), content(t, "systemd/kmproxy-backup.service")
	for _, want := range []string{"\nRestart=always\n", "\nStartLimitBurst="} {
		if !strings.Contains(service, want) {
			t.Errorf("the service has no %q", want)
		}
	}
	m := regexp.MustCompile(`(?m)^MemoryMax=(\d+)M$`).FindStringSubmatch(service)
	if m == nil {
		t.Fatal("the service has no MemoryMax in megabytes")
	}
	mebibytes, err := strconv.ParseInt(m[1], 10, 64)
	if least := config.Default("/").Limits.BodyMemoryBytes>>20 + 128; err != nil || mebibytes < int64(least) {
		t.Errorf("MemoryMax is %d MiB, the default limits need %d", mebibytes, least)
	}
	for _, want := range []string{"\nProtectSystem=strict\n", "\nCapabilityBoundingSet=", "\nSystemCallFilter=", "\nMemoryMax=", "\nNoNewPrivileges=yes\n"} {
		if !strings.Contains(backup, want) {
			t.Errorf("the backup has no %q", want)
		}
	}
}

// TestManifestNamesPorts: the ports and paths of the manifest are those of its config.
func TestManifestNamesPorts(t *testing.T) {
	manifest := content(t, "kubernetes/kmproxy.yaml")
	for _, want := range []string{"containerPort: 8443", "containerPort: 9443", "path: /healthz", "path: /readyz", "runAsNonRoot: true",
		"readOnlyRootFilesystem: true", `drop: ["ALL"]`, "allowPrivilegeEscalation: false", "type: Recreate", "defaultMode: 0440"} {
		if !strings.Contains(manifest, want) {
			t.Errorf("it has no %s", want)
		}
	}
}

func TestImageIsOneFile(t *testing.T) {
	image := content(t, "Dockerfile")
	_, last, found := strings.Cut(image, "\nFROM scratch\n")
	if !found || strings.Contains(last, "\nRUN ") || !strings.Contains(last, "\nUSER 65532:65532\n") || !strings.Contains(image, "CGO_ENABLED=0") {
		t.Errorf("it is more than the program, or its user is root:\n%s", last)
	}
}

func content(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inConfigMap is the block behind "config.toml: |", without its indentation.
func inConfigMap(t *testing.T, manifest string) string {
	t.Helper()
	_, rest, found := strings.Cut(manifest, "  config.toml: |\n")
	if !found {
		t.Fatal("there is no config.toml in it")
	}
	var out strings.Builder
	for line := range strings.Lines(rest) {
		text, inside := strings.CutPrefix(line, "    ")
		if !inside {
			break
		}
		out.WriteString(text)
	}
	return out.String()
}
