package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kmproxy/cmd/internal/config"
)

// write makes a folder with files in it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const everyFile = `
[tls]
mode = "files"
cert_file = "cert"
key_file = "key"
client_ca_file = "clients"
acme.ca_root_file = "acme"
[upstream]
url = "https://localhost"
ca_file = "ca"
client_cert_file = "client"
client_key_file = "client-key"
[store]
url = "file:store"
[master_key]
source = "passphrase-file:passphrase"
`

func load(t *testing.T, dir string) config.Config {
	t.Helper()
	c, err := config.Load(filepath.Join(dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckFilesFindsThemAll(t *testing.T) {
	dir := write(t, map[string]string{
		"config.toml": everyFile, "cert": "", "key": "", "clients": "", "acme": "", "ca": "", "client": "", "client-key": "",
		"passphrase": "",
	})
	if err := load(t, dir).CheckFiles(); err != nil {
		t.Errorf("the store alone is missing, and is made: %v", err)
	}
}

func TestCheckFilesNamesWhatIsMissing(t *testing.T) {
	dir := write(t, map[string]string{"config.toml": everyFile})
	err := load(t, dir).CheckFiles()
	bad, ok := errors.AsType[*config.Error](err)
	if !ok {
		t.Fatalf("not an *Error: %v", err)
	}
	missing := func(line, name string) string {
		return line + ": " + dir + "/" + name + " cannot be read: no such file or directory"
	}
	want := []string{
		missing("4: tls.cert_file", "cert"),
		missing("5: tls.key_file", "key"),
		missing("6: tls.client_ca_file", "clients"),
		missing("7: tls.acme.ca_root_file", "acme"),
		missing("10: upstream.ca_file", "ca"),
		missing("11: upstream.client_cert_file", "client"),
		missing("12: upstream.client_key_file", "client-key"),
		missing("16: master_key.source", "passphrase"),
	}
	prefix := filepath.Join(dir, "config.toml") + ":"
	got := strings.Split(strings.TrimPrefix(bad.Error(), prefix), "\n"+prefix)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}

func TestCheckFilesTellsFilesFromFolders(t *testing.T) {
	dir := write(t, map[string]string{
		"config.toml": "[tls]\nclient_ca_file = '.'\n[store]\nurl = 'file:config.toml'\n",
	})
	err := load(t, dir).CheckFiles()
	if err == nil || !strings.Contains(err.Error(), "config.toml:2: tls.client_ca_file: "+dir+" is not a file") ||
		!strings.Contains(err.Error(), "config.toml:4: store.url: "+dir+"/config.toml is not a folder") {
		t.Errorf("got %v", err)
	}
}

// The default config runs as it is: what it names is made.
func TestCheckFilesOfTheDefault(t *testing.T) {
	if err := config.Default(t.TempDir()).CheckFiles(); err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	dir := write(t, map[string]string{"long.toml": strings.Repeat("#\n", 1<<20)})
	_, err := config.Load(filepath.Join(dir, "none.toml"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	_, err = config.Load(filepath.Join(dir, "long.toml"))
	if _, ok := errors.AsType[*config.Error](err); err == nil || ok || !strings.Contains(err.Error(), "longer than 1MiB") {
		t.Errorf("a long file: %v", err)
	}
}

func TestParseSource(t *testing.T) {
	for _, tt := range []struct {
		text string
		want config.Source
		back string
	}{
		{"file:k", config.Source{Kind: config.SourceFile, Path: "/d/k"}, "file:/d/k"},
		{"file:/e/../k", config.Source{Kind: config.SourceFile, Path: "/k"}, "file:/k"},
		{"passphrase-file:a:b", config.Source{Kind: config.SourcePassphraseFile, Path: "/d/a:b"}, "passphrase-file:/d/a:b"},
		{"passphrase-env:A_1", config.Source{Kind: config.SourcePassphraseEnv, Name: "A_1"}, "passphrase-env:A_1"},
	} {
		got, err := config.ParseSource(tt.text, "/d")
		if err != nil || got != tt.want || got.String() != tt.back {
			t.Errorf("%s: got %+v, which prints %q, error %v", tt.text, got, got, err)
		}
	}
	for _, text := range []string{"", "file", "file:", "File:k", "passphrase-env:", "passphrase-env:1A", "passphrase-env:A B", "env:A"} {
		if got, err := config.ParseSource(text, "/d"); !errors.Is(err, config.ErrSource) {
			t.Errorf("%q: got %+v, error %v", text, got, err)
		}
	}
}
