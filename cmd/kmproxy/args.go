package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// line is a command line in the order in which urfave/cli reads it. That
// library stops looking for flags at the first argument, so "key discard ID
// --force" would silently lose --force: here flags are taken on both sides, and
// what is not understood is refused.
type line struct {
	path  []*cli.Command // the program itself, then the words of the command
	flags [][]string     // for each of path, its flags as --name or --name=value
	args  []string
	asked string // help or version: nothing else is done then
}

// arrange checks a command line against the program's own commands and brings
// it into order. args begins with the program's name.
func arrange(app *cli.App, args []string) ([]string, error) {
	l := newLine(app)
	if err := l.read(args[min(1, len(args)):]); err != nil {
		return nil, err
	}
	if l.asked == "" {
		if err := l.complete(); err != nil {
			return nil, err
		}
	}
	return l.argv(), nil
}

func newLine(app *cli.App) *line {
	root := &cli.Command{Name: app.Name, Subcommands: app.Commands, Flags: app.Flags}
	return &line{path: []*cli.Command{root}, flags: [][]string{nil}}
}

func (l *line) command() *cli.Command { return l.path[len(l.path)-1] }

// name is the command as it is typed: "kmproxy key discard".
func (l *line) name() string {
	words := make([]string, len(l.path))
	for i, c := range l.path {
		words[i] = c.Name
	}
	return strings.Join(words, " ")
}

// wrong reports what is wrong with the line, and in which command.
func (l *line) wrong(hint, format string, args ...any) error {
	_, command, below := strings.Cut(l.name(), " ")
	if below {
		format, args = "%s: "+format, append([]any{command}, args...)
	}
	return usageError(hint, format, args...)
}

func (l *line) read(args []string) error {
	ended := false // by "--": the rest are no flags
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case !ended && arg == "--":
			ended = true
		case !ended && len(arg) > 1 && arg[0] == '-':
			args, err = l.flag(arg, args)
		default:
			err = l.word(arg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// word takes one word that is no flag: a command as long as one is expected,
// an argument after that.
func (l *line) word(w string) error {
	c := l.command()
	if len(c.Subcommands) == 0 {
		l.args = append(l.args, w)
		return nil
	}
	if w == "help" && len(l.path) == 1 {
		l.asked = "help"
		return nil
	}
	sub := c.Command(w)
	if sub == nil {
		return l.unknownCommand(w)
	}
	l.path = append(l.path, sub)
	l.flags = append(l.flags, nil)
	return nil
}

// argv is the line as urfave/cli wants it: each command's flags behind its
// word, and the arguments behind "--".
func (l *line) argv() []string {
	if l.asked == "version" {
		return []string{l.path[0].Name, "--version"}
	}
	var argv []string
	for i, c := range l.path {
		argv = append(argv, c.Name)
		if l.asked == "" {
			argv = append(argv, l.flags[i]...)
		}
	}
	if l.asked == "help" {
		return append(argv, "--help")
	}
	return append(append(argv, "--"), l.args...)
}

func commandNames(c *cli.Command) []string {
	var names []string
	for _, sub := range c.Subcommands {
		if !sub.Hidden {
			names = append(names, sub.Name)
		}
	}
	return names
}
