package wire_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReferenceIsComplete checks that docs/reference.md has every metric, error code
// and log field that the code has.
func TestReferenceIsComplete(t *testing.T) {
	for _, part := range []struct {
		heading, folder string
		found           *regexp.Regexp
		least           int
	}{
		{"## Metrics", "cmd/internal/wire/", regexp.MustCompile(`Name: "(kmproxy_[a-z_]+)"`), 15},
		{"## Errors", "proxy/", regexp.MustCompile(`"(000_0(?:0[1-9]|1\d)|900_\d{3})"`), 15},
		{"## Log fields", "proxy/note.go", regexp.MustCompile(`slog\.[A-Z][a-z]+\("([a-z_]+)"`), 12},
	} {
		names := map[string]bool{}
		for _, file := range texts(t) {
			if !strings.HasPrefix(file, part.folder) || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range part.found.FindAllStringSubmatch(read(t, file), -1) {
				names[m[1]] = true
			}
		}
		if len(names) < part.least {
			t.Errorf("%s: only %d names found in the code", part.heading, len(names))
		}
		text := section(t, "docs/reference.md", part.heading)
		for name := range names {
			if !regexp.MustCompile(`(?m)^\|.*\b` + name + `\b.*\|`).MatchString(text) {
				t.Errorf("docs/reference.md, %s: no row for %s", part.heading, name)
			}
		}
	}
}

// section returns the text below a heading.
func section(t *testing.T, name, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, name), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", name, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}
