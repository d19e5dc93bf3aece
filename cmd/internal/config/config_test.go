package config_test

import (
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"

	"kmproxy/cmd/internal/config"
)

const shipped = "../../../config.toml"

// same compares configs without the lines that they came from.
func same(want, got config.Config) string {
	return cmp.Diff(want, got,
		cmpopts.IgnoreUnexported(config.Config{}),
		cmp.Comparer(func(a, b *time.Location) bool { return offset(a) == offset(b) && a.String() == b.String() }),
		cmpopts.EquateComparable(netip.Prefix{}),
		cmp.Comparer(func(a, b *url.URL) bool { return a.String() == b.String() }),
	)
}

func offset(l *time.Location) int {
	_, seconds := time.Unix(0, 0).In(l).Zone()
	return seconds
}

func parse(t *testing.T, name, dir string) config.Config {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(name, data, dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaultIsWhatTheShippedFileSays(t *testing.T) {
	if diff := same(config.Default("/srv/kmproxy"), parse(t, shipped, "/srv/kmproxy")); diff != "" {
		t.Errorf("Default (-) and config.toml (+) differ:\n%s", diff)
	}
}

func TestDefaultIsWhatAnEmptyFileSays(t *testing.T) {
	got, err := config.Parse("config.toml", nil, "/srv/kmproxy")
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(config.Default("/srv/kmproxy"), got); diff != "" {
		t.Errorf("Default (-) and the empty file (+) differ:\n%s", diff)
	}
}

// Each line of the shipped file that sets a key explains it, and the file has
// every key that there is.
func TestTheShippedFileHasEveryKeyExplained(t *testing.T) {
	data, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, " = ") || strings.HasPrefix(line, "#") {
			continue
		}
		explained++
		if _, comment, _ := strings.Cut(line, " # "); len(strings.Fields(comment)) < 3 {
			t.Errorf("unexplained: %s", line)
		}
	}
	want, got := keys(t, config.Default("/").Effective()), keys(t, string(data))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the keys that there are (-) and the file's (+) differ:\n%s", diff)
	}
	if explained != len(want) {
		t.Errorf("%d lines set a key, but there are %d keys", explained, len(want))
	}
}

// keys are all keys of a document, as "tls.acme.email". The entries of
// time_zones are no keys.
func keys(t *testing.T, doc string) map[string]bool {
	t.Helper()
	var tree map[string]any
	if err := toml.Unmarshal([]byte(doc), &tree); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if prefix != ".admission.time_zones" {
				for name, v := range v {
					walk(prefix+"."+name, v)
				}
				return
			}
		case []any:
			if len(v) > 0 {
				if table, ok := v[0].(map[string]any); ok {
					walk(prefix, table)
					return
				}
			}
		}
		found[prefix] = true
	}
	walk("", tree)
	return found
}

// Every field of Config is set by some key: where each key differs from its
// default, so does each field.
func TestEveryFieldHasAKey(t *testing.T) {
	before := leaves(config.Default("/srv/kmproxy"))
	if len(before) < 30 {
		t.Fatalf("found only %d fields", len(before))
	}
	other := leaves(parse(t, "testdata/other.toml", "/etc/kmproxy"))
	variable := leaves(parse(t, "testdata/variable.toml", "/etc/kmproxy"))
	for name, v := range before {
		if name == ".Store.Place.Kind" {
			continue // it has one value so far
		}
		if reflect.DeepEqual(v, other[name]) && reflect.DeepEqual(v, variable[name]) {
			t.Errorf("no key sets Config%s: it is %v everywhere", name, v)
		}
	}
}

// leaves are the fields that are no structs, of the first route for all.
func leaves(c config.Config) map[string]any {
	found := map[string]any{}
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		if v.Type() == reflect.TypeFor[[]config.Route]() {
			v = v.Index(0)
		}
		if v.Kind() != reflect.Struct {
			found[name] = v.Interface()
			return
		}
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				walk(name+"."+field.Name, v.Field(i))
			}
		}
	}
	walk("", reflect.ValueOf(c))
	return found
}

func TestRelativePathsAreTakenFromTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "other.toml")
	data, err := os.ReadFile("testdata/other.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want string }{
		{c.TLS.CertFile, filepath.Join(dir, "tls/cert.pem")},
		{c.TLS.KeyFile, "/etc/kmproxy/key.pem"},
		{c.Upstream.CAFile, filepath.Join(dir, "tls/upstream.pem")},
		{c.Store.Dir, "/var/lib/kmproxy"},
		{c.MasterKey.Source.Path, filepath.Join(dir, `pass "phrase\1`)},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}

func TestEffectiveIsTheSameConfig(t *testing.T) {
	for _, name := range []string{shipped, "testdata/other.toml", "testdata/variable.toml"} {
		want := parse(t, name, "/etc/kmproxy")
		got, err := config.Parse("effective", []byte(want.Effective()), "/nowhere")
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, want.Effective())
			continue
		}
		if diff := same(want, got); diff != "" {
			t.Errorf("%s: the config (-) and what it prints (+) differ:\n%s", name, diff)
		}
	}
}

func TestModesPrintTheirNames(t *testing.T) {
	for _, tt := range []struct {
		mode interface{ String() string }
		want string
	}{
		{config.TLSMode(0), "invalid"}, {config.TLSLocal, "local"}, {config.TLSFiles, "files"}, {config.TLSACME, "acme"},
		{config.TLSMode(4), "invalid"},
		{config.StoreKind(0), "invalid"}, {config.StoreFile, "file"},
		{config.SourceKind(0), "invalid"}, {config.SourceFile, "file"},
		{config.SourcePassphraseFile, "passphrase-file"}, {config.SourcePassphraseEnv, "passphrase-env"},
	} {
		if got := tt.mode.String(); got != tt.want {
			t.Errorf("%#v prints %q, want %q", tt.mode, got, tt.want)
		}
	}
}

// Changing a Default leaves the next one as it was.
func TestDefaultsShareNothing(t *testing.T) {
	c := config.Default("/")
	c.TLS.Hostnames[0], c.Upstream.URL.Host, c.Routes[0].Path = "x", "x", "x"
	delete(c.Admission.TimeZones, "UTC")
	if diff := same(config.Default("/"), parse(t, shipped, "/")); diff != "" {
		t.Error(diff)
	}
}
