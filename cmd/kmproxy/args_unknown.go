package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func (l *line) unknownCommand(word string) error {
	c := l.command()
	var alike []*cli.Command
	for _, sub := range c.Subcommands {
		if !sub.Hidden && sameStart(sub.Name, word) {
			alike = append(alike, sub)
		}
	}
	var near string
	if len(alike) > 0 {
		near = nearCommand(alike, word)
	}
	return l.wrong(l.didYouMean(near), "unknown command %q", word)
}

// nearCommand returns the name of the command that word was most likely meant to be.
func nearCommand(alike []*cli.Command, word string) string {
	text := cli.SuggestCommand(alike, strings.ToLower(word)) // a sentence; it may also propose "help"
	for _, c := range alike {
		if text == fmt.Sprintf(cli.SuggestDidYouMeanTemplate, c.Name) {
			return c.Name
		}
	}
	return ""
}

func (l *line) unknownFlag(name string) error {
	var alike []cli.Flag
	for _, c := range l.path {
		for _, f := range c.Flags {
			if sameStart(f.Names()[0], name) {
				alike = append(alike, f)
			}
		}
	}
	const withoutHelp = true
	return l.wrong(l.didYouMean(cli.SuggestFlag(alike, strings.ToLower(name), withoutHelp)), "unknown flag --%s", name)
}

// sameStart reports whether two words begin with the same letter. urfave/cli always
// suggests the nearest word, however far away it is; most slips leave the first letter
// as it was.
func sameStart(name, word string) bool {
	return name != "" && word != "" && strings.EqualFold(name[:1], word[:1])
}

// didYouMean returns the hint about an unknown word; near may be empty.
func (l *line) didYouMean(near string) string {
	if near == "" {
		return "see " + l.name() + " --help"
	}
	return "did you mean " + near + "?"
}
