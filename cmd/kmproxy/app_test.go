package main

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/urfave/cli/v2"
)

// An error that knows an exit code, as that of a program that was run, must not
// end the process behind our back: nobody would be told anything.
func TestNoErrorEndsTheProcess(t *testing.T) {
	var out bytes.Buffer
	e := newEnv(nil, os.Stdin, &out, &out)
	app := newApp(e, &out)
	want := cli.Exit("broken", 3)
	app.Commands = append(app.Commands, &cli.Command{Name: "break", Action: e.action(
		func(*env, *cli.Context) (result, error) { return nil, want },
	)})
	if err := app.Run([]string{"kmproxy", "break"}); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

// Every command that can be run has an action and says what it does.
func TestEveryCommandIsWhole(t *testing.T) {
	var check func(prefix string, all []*cli.Command)
	check = func(prefix string, all []*cli.Command) {
		for _, c := range all {
			name := prefix + " " + c.Name
			if c.Usage == "" {
				t.Errorf("%s: no usage", name)
			}
			if (len(c.Subcommands) == 0) != (c.Action != nil) {
				t.Errorf("%s: has both an action and commands, or neither", name)
			}
			check(name, c.Subcommands)
		}
	}
	e := newEnv(nil, os.Stdin, &bytes.Buffer{}, &bytes.Buffer{})
	all := commands(e)
	if len(all) == 0 {
		t.Fatal("no commands")
	}
	check("kmproxy", all)
}
