package main

import (
	"errors"
	"fmt"
	"io"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or config
)

// failure is an error with what to do about it and the exit code it ends the
// program with. An error that is no failure ends it with exitFailed.
type failure struct {
	err  error
	hint string // lower case; may be empty
	code int
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// usageError reports a command line that cannot be carried out as it stands.
func usageError(hint, format string, args ...any) error {
	return &failure{err: fmt.Errorf(format, args...), hint: hint, code: exitUsage}
}

// hinted adds what to do about an error. The error's exit code stays.
func hinted(err error, hint string) error {
	return &failure{err: err, hint: hint, code: exitCode(err)}
}

func exitCode(err error) int {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	return exitFailed
}

// fail tells what went wrong and returns the exit code. In JSON it is the one
// document on stdout.
func (e *env) fail(err error) int {
	if !e.json || e.failJSON(err) != nil {
		failText(e.stderr, err)
	}
	return exitCode(err)
}

func failText(w io.Writer, err error) {
	_, _ = fmt.Fprintf(w, "kmproxy: error: %v\n", err) // stderr is the last place to tell it
	if hint := hintOf(err); hint != "" {
		_, _ = fmt.Fprintf(w, "kmproxy: hint: %s\n", hint)
	}
}

func (e *env) failJSON(err error) error {
	return encodeJSON(e.stdout, struct {
		Error string `json:"error"`
		Hint  string `json:"hint"`
	}{err.Error(), hintOf(err)})
}

func hintOf(err error) string {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.hint
	}
	return ""
}
