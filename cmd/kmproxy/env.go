package main

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kmproxy/cmd/internal/logqueue"
)

// env is all that a command sees of the world around it.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer // stdout is for results alone, see env.print
	getenv         func(string) string
	dir            string // the working folder, see env.path
	now            func() time.Time
	ended          <-chan struct{}   // closed when the program is to end; nil: never
	json           bool              // exactly one JSON document on stdout
	queues         []*logqueue.Queue // of a service, see env.detach
}

func newEnv(args []string, stdin io.Reader, stdout, stderr io.Writer) *env {
	return &env{
		stdin:  stdin,
		stdout: stdout,
		stderr: stderr,
		getenv: os.Getenv,
		dir:    ".",
		now:    time.Now,
		json:   wantsJSON(args),
	}
}

// path is where a file that was named on the command line lies.
func (e *env) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(e.dir, name)
}

// wantsJSON looks for --json before the command line is read, so that a mistake
// in the command line is reported the way the caller asked for.
func wantsJSON(args []string) bool {
	wants := false
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if !strings.HasPrefix(arg, "-") {
			continue
		}
		name, value, given := cutFlag(arg)
		if name != "json" {
			continue
		}
		if wants = !given; given {
			wants, _ = strconv.ParseBool(value)
		}
	}
	return wants
}
