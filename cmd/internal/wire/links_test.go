package wire_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLinks checks that each relative link in a document leads to a file, and its
// fragment to a heading.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	links := 0
	for _, name := range texts(t) {
		if filepath.Ext(name) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			checkLink(t, name, m[1])
		}
	}
	if links < 20 {
		t.Errorf("only %d links found", links)
	}
}

func checkLink(t *testing.T, name, link string) {
	t.Helper()
	path, fragment, _ := strings.Cut(link, "#")
	target := name
	if path != "" {
		target = filepath.Join(filepath.Dir(name), path)
	}
	text, err := os.ReadFile(filepath.Join(repository, target))
	if err != nil {
		t.Errorf("%s links to %s: %v", name, link, err)
		return
	}
	if fragment != "" && !slices.Contains(anchors(string(text)), fragment) {
		t.Errorf("%s links to %s, which has no such heading", name, link)
	}
}

// anchors returns the fragments of a document's headings, as GitHub makes them.
func anchors(text string) []string {
	var all []string
	dropped := regexp.MustCompile(`[^a-z0-9 _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		anchor := dropped.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(anchor, " ", "-"))
	}
	return all
}
