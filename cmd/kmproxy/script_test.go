package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this very program as kmproxy.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kmproxy": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			shipped, err := filepath.Abs("../../config.toml")
			env.Setenv("SHIPPED", shipped)
			return err
		},
		Cmds: scriptCommands(),
	})
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	all := serviceCommands()
	all["exits"], all["syntax"] = exits, syntax
	return all
}

// exits N COMMAND ARGS… runs a program and wants exactly that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// syntax SHELL FILE has a shell read a script without running it. A laptop may
// lack the shell, CI may not.
func syntax(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: syntax SHELL FILE")
	}
	if _, err := exec.LookPath(args[0]); err != nil {
		if os.Getenv("CI") == "true" {
			ts.Fatalf("%s is missing", args[0])
		}
		ts.Logf("skipped: %s is missing", args[0])
		return
	}
	ts.Check(ts.Exec(args[0], "-n", ts.MkAbs(args[1])))
}
