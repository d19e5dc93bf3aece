package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// complete tells whether everything that the command needs is on the line, and
// nothing more.
func (l *line) complete() error {
	if c := l.command(); len(c.Subcommands) > 0 {
		return l.wrong("one of "+strings.Join(commandNames(c), ", "), "a command is missing")
	}
	for level, c := range l.path {
		for _, f := range c.Flags {
			if r, ok := f.(cli.RequiredFlag); ok && r.IsRequired() && !l.has(level, f.Names()[0]) {
				return l.wrong("see "+l.name()+" --help", "--%s is missing", f.Names()[0])
			}
		}
	}
	return l.countArgs()
}

// countArgs checks the arguments against the command's ArgsUsage, the one place
// that says what a command takes: NAME is needed, [NAME] may be left out, and
// "..." behind the last one lets it be repeated.
func (l *line) countArgs() error {
	usage := l.command().ArgsUsage
	names := strings.Fields(usage)
	hint := strings.TrimSpace("usage: " + l.name() + " " + usage)
	for i, name := range names {
		if i >= len(l.args) && !strings.HasPrefix(name, "[") {
			return l.wrong(hint, "%s is missing", name)
		}
	}
	if len(l.args) > len(names) && !strings.Contains(usage, "...") {
		return l.wrong(hint, "unexpected argument %q", l.args[len(names)])
	}
	return nil
}
