package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestDocumentsNameCommands checks that each command in the documents exists and has
// the flags that are given to it.
func TestDocumentsNameCommands(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	root := newApp(&env{}, t.Output()).Commands
	written := regexp.MustCompile("(?m)(?:^ *|`|[$#] |&& )kmproxy(?:ctl)? ([a-z][^`|&>\n]*)")
	found := 0
	for _, file := range append(files, "../../README.md", "../../SECURITY.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range written.FindAllStringSubmatch(code(string(text)), -1) {
			found++
			checkWritten(t, file, root, strings.Fields(m[1]))
		}
	}
	if found < 40 {
		t.Errorf("only %d commands found", found)
	}
}

// code returns the parts of a document that are code.
func code(text string) string {
	parts := regexp.MustCompile("(?s)```.*?```|`[^`\n]+`").FindAllString(text, -1)
	return strings.Join(parts, "\n")
}

func checkWritten(t *testing.T, file string, all []*cli.Command, words []string) {
	t.Helper()
	var command *cli.Command
	for _, word := range words {
		i := slices.IndexFunc(all, func(c *cli.Command) bool { return c.Name == word })
		if i < 0 {
			break
		}
		command, all = all[i], all[i].Subcommands
	}
	if command == nil || len(all) > 0 {
		t.Errorf("%s: no such command: kmproxy %s", file, strings.Join(words, " "))
		return
	}
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "--")
		if name, _, _ = strings.Cut(name, "="); isFlag && !hasFlag(command, name) {
			t.Errorf("%s: kmproxy %s has no flag --%s", file, command.Name, name)
		}
	}
}

func hasFlag(c *cli.Command, name string) bool {
	return name == "help" || slices.ContainsFunc(append(globalFlags(), c.Flags...), func(f cli.Flag) bool {
		return slices.Contains(f.Names(), name)
	})
}
