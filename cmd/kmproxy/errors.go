package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kmproxy/cmd/internal/config"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or config
)

// failure is an error with what to do about it and the exit code it ends the
// program with. Other errors end it with exitUsage if they are about the config,
// else with exitFailed.
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
	if _, ok := errors.AsType[*config.Error](err); ok {
		return exitUsage
	}
	return exitFailed
}

// fail tells what went wrong and returns the exit code. In JSON it is the one
// document on stdout.
func (e *env) fail(err error) int {
	if !e.json || e.failJSON(err) != nil {
		failText(e.writer(e.stderr), err)
	}
	return exitCode(err)
}

func failText(w io.Writer, err error) {
	for _, p := range pointsOf(err) {
		_, _ = fmt.Fprintf(w, "kmproxy: error: %s\n", p.text) // stderr is the last place to tell it
		if p.hint != "" {
			_, _ = fmt.Fprintf(w, "kmproxy: hint: %s\n", p.hint)
		}
	}
}

func (e *env) failJSON(err error) error {
	var doc struct {
		Error  string          `json:"error"`
		Hint   string          `json:"hint"`
		Answer json.RawMessage `json:"answer,omitempty"` // of a call that the API refused
	}
	if c, ok := errors.AsType[*callError](err); ok && json.Valid(c.answer.body) {
		doc.Answer = c.answer.body
	}
	var texts, hints []string
	for _, p := range pointsOf(err) {
		texts = append(texts, p.text)
		if p.hint != "" && !slices.Contains(hints, p.hint) {
			hints = append(hints, p.hint)
		}
	}
	doc.Error, doc.Hint = strings.Join(texts, "\n"), strings.Join(hints, "\n")
	return encodeJSON(e.writer(e.stdout), doc)
}

// point is one thing to tell about an error.
type point struct{ text, hint string }

// pointsOf is one point for most errors, and one for each mistake in a config.
func pointsOf(err error) []point {
	var points []point
	if bad, ok := errors.AsType[*config.Error](err); ok {
		for _, p := range bad.Problems {
			points = append(points, point{p.Error(), p.Hint})
		}
		return points
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return []point{{err.Error(), f.hint}}
	}
	return []point{{err.Error(), ""}}
}
