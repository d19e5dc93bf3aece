package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kmproxy/cmd/internal/arsdemo"
)

// patience is how long a script waits for what must happen soon.
const patience = 30 * time.Second

// serviceCommands are what scripts need to run a proxy and to read its results.
func serviceCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"secret-of":  field("secret_key"),
		"access-of":  field("access_key"),
		"key-of":     field("key_id"),
		"pin-of":     field("client_pin"),
		"pem-of":     pemOf,
		"mode":       mode,
		"onlyfile":   onlyFile,
		"free-port":  freePort,
		"ars":        ars,
		"expand":     expand,
		"ready":      ready,
		"eventually": eventually,
		"signal":     signalTo,
	}
}

// field FILE VAR sets a variable to a field of the JSON document in a file.
func field(name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		value := jsonField(ts, args[0], name)
		ts.Setenv(args[1], value)
	}
}

func jsonField(ts *testscript.TestScript, file, name string) string {
	var doc map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &doc))
	value, ok := doc[name].(string)
	if !ok || value == "" {
		ts.Fatalf("%s has no field %s", file, name)
	}
	return value
}

// pem-of FILE FIELD OUT writes a field of a JSON document to a file.
func pemOf(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(jsonField(ts, args[0], args[1])), 0o644))
}

// mode FILE MODE wants exactly those permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	if got := info.Mode().Perm(); got != os.FileMode(want) {
		ts.Fatalf("%s has mode %04o, want %04o", args[0], got, want)
	}
}

// onlyfile DIR NAMES… wants exactly those files in a folder.
func onlyFile(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("%s holds %q, want %q", args[0], got, args[1:])
	}
}

// free-port VAR sets a variable to a port of loopback that nobody listens on.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(errors.Join(err, l.Close()))
	ts.Setenv(args[0], port)
}

// ars VAR runs the ARS service until the script ends and sets a variable to its URL.
func ars(ts *testscript.TestScript, _ bool, args []string) {
	s, err := arsdemo.Listen("127.0.0.1:0")
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	ts.Defer(func() {
		stop()
		ts.Check(<-done)
	})
	ts.Setenv(args[0], s.URL().String())
}

// expand FILE puts the script's variables into a file, and keeps a copy as serving.toml.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("serving.toml"), []byte(text), 0o644))
}

// ready URL waits until it answers 200.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(args[0])
		if err != nil {
			continue
		}
		ts.Check(answer.Body.Close())
		if answer.StatusCode == http.StatusOK {
			return
		}
	}
	ts.Fatalf("%s is not ready", args[0])
}

// eventually N COMMAND ARGS… runs a program until it ends with that exit code.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got := 0
		if exit, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...)); ok {
			got = exit.ExitCode()
		}
		if got == want {
			return
		}
	}
	ts.Fatalf("%q never ended with %d", args[1:], want)
}

// signal NAME PROGRAM signals a program that the script runs in the background.
func signalTo(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(signals[args[0]]))
	}
}
