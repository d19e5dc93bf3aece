package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flag takes one flag, with its value from rest if it needs one, and returns
// what is left of rest.
func (l *line) flag(arg string, rest []string) ([]string, error) {
	name, value, given := cutFlag(arg)
	f, level := l.lookup(name)
	if f == nil {
		return nil, l.unknownFlag(name)
	}
	name = f.Names()[0]
	if name == "help" || name == "version" {
		l.asked = name
		return rest, nil
	}
	if takesValue(f) && !given {
		if len(rest) == 0 || l.isFlag(rest[0]) {
			return nil, l.wrong("write --"+name+"=VALUE if the value begins with a dash", "--%s needs a value", name)
		}
		value, given, rest = rest[0], true, rest[1:]
	}
	return rest, l.add(f, level, value, given)
}

func (l *line) add(f cli.Flag, level int, value string, given bool) error {
	name := f.Names()[0]
	if takesValue(f) && !isList(f) && l.has(level, name) {
		return l.wrong("", "--%s is given twice", name)
	}
	text := "--" + name
	if given {
		text += "=" + value
	}
	l.flags[level] = append(l.flags[level], text)
	return nil
}

func (l *line) has(level int, name string) bool {
	return slices.ContainsFunc(l.flags[level], func(text string) bool {
		n, _, _ := cutFlag(text)
		return n == name
	})
}

// lookup finds a flag of the command or of those above it, the nearest first,
// and says whose it is.
func (l *line) lookup(name string) (cli.Flag, int) {
	for level := len(l.path) - 1; level >= 0; level-- {
		for _, f := range l.path[level].Flags {
			if slices.Contains(f.Names(), name) {
				return f, level
			}
		}
	}
	return nil, 0
}

// isFlag tells whether an argument is a flag that would be understood here.
func (l *line) isFlag(arg string) bool {
	if arg == "--" {
		return true
	}
	if len(arg) < 2 || arg[0] != '-' {
		return false
	}
	name, _, _ := cutFlag(arg)
	f, _ := l.lookup(name)
	return f != nil
}

// cutFlag splits -name, --name, -name=value and --name=value.
func cutFlag(arg string) (name, value string, given bool) {
	return strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// isList tells whether a flag may be given several times.
func isList(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationSliceFlag)
	return ok && d.IsSliceFlag()
}
