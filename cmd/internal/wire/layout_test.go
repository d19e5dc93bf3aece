package wire_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed lists the packages of this module that a room may import; a name that ends in
// a slash allows all packages below it. A room that is not listed fails the test. So
// what serves requests imports of keys what it reads, and nothing that writes.
var allowed = []struct {
	room    string // a package, or with /... all below it too
	imports []string
}{
	{"crypto/...", []string{"crypto/"}},
	{"keys/internal/cores", nil},
	{"keys/internal/disk", nil},
	{"keys", []string{"crypto/alg", "crypto/jwk", "crypto/envelope"}},
	{"keys/audit", []string{"crypto/sensitive", "keys/internal/cores"}},
	{"keys/internal/vault", []string{"crypto/sensitive", "crypto/alg", "crypto/envelope", "keys", "keys/audit", "keys/internal/cores"}},
	{"keys/manage", []string{"crypto/sensitive", "crypto/alg", "crypto/jwk", "crypto/envelope", "keys", "keys/audit", "keys/internal/vault"}},
	{"keys/ring", []string{"crypto/sensitive", "crypto/jwk", "crypto/envelope", "keys", "keys/audit", "keys/internal/cores", "keys/internal/vault"}},
	{"keys/reseal", []string{"crypto/envelope", "keys", "keys/audit", "keys/internal/cores", "keys/internal/vault"}},
	{"keys/usage", []string{"crypto/alg", "keys"}},
	{"keys/filestore", []string{"keys", "keys/internal/changes", "keys/internal/cores", "keys/internal/disk", "keys/usage"}},
	{"keys/memstore", []string{"keys", "keys/internal/changes", "keys/usage"}},
	{"keys/backup", []string{"keys", "keys/internal/changes", "keys/internal/cores", "keys/internal/vault"}},
	{"keys/...", []string{"crypto/", "keys", "keys/"}},
	{"proxy/origin", nil},
	{"proxy/framing", nil},
	{"proxy/listen", []string{"proxy/framing", "proxy/origin"}},
	{"proxy/listen/acme", nil},
	{"proxy/status", nil},
	{"proxy/cek", []string{"crypto/jwe", "keys"}},
	{"proxy/queue", []string{"keys"}},
	{"proxy/replay", []string{"keys"}},
	{"proxy/upstream", nil},
	{"proxy/kona", []string{"crypto/sensitive", "crypto/trantoken", "keys"}},
	{"proxy/caller", []string{"crypto/", "keys", "proxy/kona"}},
	{"proxy", []string{"crypto/", "keys", "keys/ring", "proxy/cek", "proxy/framing", "proxy/kona", "proxy/origin", "proxy/queue", "proxy/replay", "proxy/upstream"}},
	{"proxy/proxytest", []string{"crypto/", "keys", "keys/", "proxy", "proxy/"}},
	{"proxy/...", []string{"proxy", "proxy/"}},
	{"cmd/internal/config", nil},
	{"cmd/internal/arsdemo", nil},
	{"cmd/internal/logqueue", nil},
	{"cmd/internal/wire", []string{"crypto/", "keys", "keys/", "proxy", "proxy/", "cmd/internal/config"}},
	{"cmd/...", []string{"crypto/", "keys", "keys/", "proxy", "proxy/", "cmd/internal/"}},
	{"bench", []string{"crypto/", "keys", "keys/", "proxy", "proxy/", "bench/load"}},
	{"bench/load", nil},
	{"bench/primitives", nil},
	{"bench/ordinary", nil},
	{"e2e", []string{"crypto/", "keys", "keys/", "proxy", "proxy/"}},
}

// onlyIn are packages that one room alone may import: what can be had in more
// ways than one is chosen in one place.
var onlyIn = map[string]string{
	"kmproxy/keys/filestore":           "cmd/internal/wire",
	"kmproxy/proxy/listen/acme":        "cmd/internal/wire",
	"github.com/caddyserver/certmagic": "proxy/listen/acme",
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsGoOneWay(t *testing.T) {
	packages := listPackages(t)
	if len(packages) < 10 {
		t.Fatalf("only %d packages found", len(packages))
	}
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, "kmproxy/")
		rule := slices.IndexFunc(allowed, func(r struct {
			room    string
			imports []string
		},
		) bool {
			return r.room == name || strings.HasSuffix(r.room, "/...") && strings.HasPrefix(name, strings.TrimSuffix(r.room, "..."))
		})
		if rule < 0 {
			t.Errorf("%s is in no room of the layout", name)
			continue
		}
		for _, imported := range p.Imports {
			checkImport(t, name, imported, allowed[rule].imports)
		}
	}
}

func checkImport(t *testing.T, name, imported string, may []string) {
	t.Helper()
	if room, one := onlyIn[imported]; one && name != room {
		t.Errorf("%s imports %s, which %s alone may", name, imported, room)
	}
	ours, isOurs := strings.CutPrefix(imported, "kmproxy/")
	if !isOurs {
		return
	}
	ok := slices.ContainsFunc(may, func(m string) bool {
		return ours == m || strings.HasSuffix(m, "/") && strings.HasPrefix(ours, m)
	})
	if !ok {
		t.Errorf("%s imports %s: imports go one way", name, ours)
	}
}

// listPackages asks the go command, which knows build tags; tests' imports do
// not count.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "kmproxy/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// TestOneFileNamesAStore: everything but the file that opens the store takes a
// keys.Backend, so that another kind of store changes one file.
func TestOneFileNamesAStore(t *testing.T) {
	var named []string
	for _, name := range texts(t) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "keys/filestore/") {
			continue
		}
		if strings.Contains(read(t, name), `"kmproxy/keys/filestore"`) {
			named = append(named, name)
		}
	}
	if want := []string{"cmd/internal/wire/openstore.go"}; !slices.Equal(named, want) {
		t.Errorf("keys/filestore is imported by %q, want %q alone", named, want)
	}
}
