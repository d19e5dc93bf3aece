package config_test

import (
	"errors"
	"os"
	"testing"

	"kmproxy/cmd/internal/config"
)

// FuzzParse: whatever the file says, Parse does not panic, it blames lines that
// there are, and a config that it takes prints and parses to the same one.
func FuzzParse(f *testing.F) {
	for _, name := range []string{shipped, "testdata/other.toml", "testdata/variable.toml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, m := range mistakes {
		f.Add([]byte(m.doc))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := config.Parse("config.toml", data, "/srv/kmproxy")
		if err != nil {
			checkProblems(t, data, err)
			return
		}
		got, err := config.Parse("effective", []byte(want.Effective()), "/nowhere")
		if err != nil {
			t.Fatalf("%v\n%s", err, want.Effective())
		}
		if diff := same(want, got); diff != "" {
			t.Fatalf("the config (-) and what it prints (+) differ:\n%s", diff)
		}
	})
}

func checkProblems(t *testing.T, data []byte, err error) {
	bad, ok := errors.AsType[*config.Error](err)
	if !ok || len(bad.Problems) == 0 {
		t.Fatalf("not an *Error with problems: %v", err)
	}
	lines := 1
	for _, b := range data {
		if b == '\n' {
			lines++
		}
	}
	for _, p := range bad.Problems {
		if p.Line < 1 || p.Line > lines {
			t.Errorf("line %d of %d: %v", p.Line, lines, p)
		}
	}
}
