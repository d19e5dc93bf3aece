package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestReferenceListsCommands checks that docs/reference.md lists each command, and
// only commands that exist.
func TestReferenceListsCommands(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n| command | does |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	listed := map[string]bool{}
	for row := range strings.Lines(table) {
		cell, _, _ := strings.Cut(row[1:], "|")
		for _, m := range regexp.MustCompile("`([a-z -]+)`").FindAllStringSubmatch(cell, -1) {
			listed[m[1]] = true
		}
	}
	names := pathsOf(commands(&env{}), "")
	for _, name := range names {
		if !listed[name] {
			t.Errorf("docs/reference.md does not list %q", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("docs/reference.md lists %q, which is not a command", name)
	}
	if len(names) < 20 {
		t.Errorf("only %d commands found", len(names))
	}
}

// pathsOf returns the commands that can be run, without hidden ones.
func pathsOf(all []*cli.Command, prefix string) []string {
	var names []string
	for _, c := range all {
		switch {
		case c.Hidden:
		case len(c.Subcommands) > 0:
			names = append(names, pathsOf(c.Subcommands, prefix+c.Name+" ")...)
		default:
			names = append(names, prefix+c.Name)
		}
	}
	return names
}
