package main

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

//go:embed completion
var completionScripts embed.FS

func completionCommand(e *env) *cli.Command {
	c := &cli.Command{Name: "completion", Usage: "print a script that completes kmproxy's commands and flags in a shell"}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		c.Subcommands = append(c.Subcommands, &cli.Command{
			Name:   shell,
			Usage:  "print the script for " + shell,
			Action: e.action(completionScript),
		})
	}
	return c
}

func completionScript(_ *env, c *cli.Context) (result, error) {
	script, err := completionScripts.ReadFile("completion/kmproxy." + c.Command.Name)
	if err != nil {
		return nil, fmt.Errorf("reading the script: %w", err)
	}
	return notice{string(script)}, nil
}

// completeCommand is what the scripts ask: the words behind "kmproxy" so far,
// the last one being typed.
func completeCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "complete",
		Usage:     "list how the last of these words may go on",
		ArgsUsage: "[WORD...]",
		Hidden:    true,
		Action:    e.action(completeWords),
	}
}

func completeWords(_ *env, c *cli.Context) (result, error) {
	words := c.Args().Slice()
	if len(words) == 0 {
		return candidates{}, nil
	}
	return candidatesFor(newLine(c.App), words[:len(words)-1], words[len(words)-1]), nil
}

// candidates are the words that may stand next.
type candidates []candidate

type candidate struct {
	Word  string `json:"word"`
	Usage string `json:"usage"`
}

func (cs candidates) text(w io.Writer) error {
	for _, c := range cs {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", c.Word, c.Usage); err != nil {
			return err
		}
	}
	return nil
}

// candidatesFor returns none where the shell knows better: for a flag's value,
// an argument, and behind words that kmproxy does not understand.
func candidatesFor(l *line, before []string, current string) candidates {
	if slices.Contains(before, "--") || l.read(before) != nil {
		return candidates{}
	}
	all := l.commandCandidates()
	if strings.HasPrefix(current, "-") {
		all = l.flagCandidates()
	}
	return slices.DeleteFunc(all, func(c candidate) bool { return !strings.HasPrefix(c.Word, current) })
}

func (l *line) commandCandidates() candidates {
	found := candidates{}
	for _, c := range l.command().Subcommands {
		if !c.Hidden {
			found = append(found, candidate{c.Name, c.Usage})
		}
	}
	return found
}

func (l *line) flagCandidates() candidates {
	found := candidates{}
	for level, c := range l.path {
		for _, f := range c.Flags {
			name := f.Names()[0]
			if isList(f) || !l.has(level, name) {
				found = append(found, candidate{"--" + name, usageOf(f)})
			}
		}
	}
	return found
}

func usageOf(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	return strings.ReplaceAll(d.GetUsage(), "`", "")
}
