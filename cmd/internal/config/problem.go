package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a config file.
type Problem struct {
	File   string // as it was named to Load
	Line   int    // from 1; 0: the key is not in the file
	column int    // from 1, where the file is no TOML; else 0
	Key    string // as "listen.address" or "route[0].path", from 0; "" where the file is no TOML
	Text   string // what is wrong with it
	Hint   string // what to do about it; may be empty
}

// Error is "file:line: key: text".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	for _, n := range []int{p.Line, p.column} {
		if n > 0 {
			fmt.Fprintf(&b, ":%d", n)
		}
	}
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	return b.String() + ": " + p.Text
}

// Error holds every mistake of a config file, in the order of its lines.
type Error struct {
	Problems []Problem // at least one
}

// Error is one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Mistake is an *Error about one key, with its line in the file that the config came
// from. The hint may be empty.
func (c Config) Mistake(key, text, hint string) error {
	r := &report{origin: c.origin}
	r.add(key, text, hint)
	return r.err()
}

// report collects problems.
type report struct {
	origin   origin
	problems []Problem
}

func (r *report) add(key, text, hint string) {
	r.addAt(r.origin.line(key), key, text, hint)
}

func (r *report) addAt(line int, key, text, hint string) {
	r.problems = append(r.problems, Problem{File: r.origin.file, Line: line, Key: key, Text: text, Hint: hint})
}

// blames tells whether a key has a problem already.
func (r *report) blames(key string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Key == key })
}

func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
	return &Error{Problems: r.problems}
}
