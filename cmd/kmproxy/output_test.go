package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"kmproxy/cmd/internal/config"
)

type pair struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

func (p pair) text(w io.Writer) error { return record(w, "name", p.Name, "the url", p.URL) }

func TestPrint(t *testing.T) {
	tests := []struct {
		name   string
		json   bool
		result result
		want   string
	}{
		{"text", false, pair{"a", "b?c&d"}, "name     a\nthe url  b?c&d\n"},
		{"json", true, pair{"a", "b?c&d"}, `{"name":"a","url":"b?c&d"}` + "\n"},
		{"nothing to tell", false, nil, ""},
		{"nothing to tell, json", true, nil, `{"ok":true}` + "\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		e := &env{stdout: &out, json: tt.json}
		if err := e.print(tt.result); err != nil || out.String() != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, out.String(), err, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	err := table(&out, []string{"KEY ID", "STATE"}, [][]string{{"1", "active"}, {"a long one", "staged"}})
	want := "KEY ID      STATE\n1           active\na long one  staged\n"
	if err != nil || out.String() != want {
		t.Errorf("got %q, %v, want %q", out.String(), err, want)
	}
}

// full is a disk that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestPrintTellsThatNothingWasPrinted(t *testing.T) {
	if err := (&env{stdout: full{}}).print(notice{"once only"}); err == nil {
		t.Error("no error")
	}
}

func TestFail(t *testing.T) {
	usage := usageError("look there", "wrong %d", 1)
	mistakes := &config.Error{Problems: []config.Problem{
		{File: "c", Line: 1, Key: "a", Text: "is bad", Hint: "mend it"},
		{File: "c", Line: 2, Key: "b", Text: "is bad", Hint: "mend it"},
		{File: "c", Line: 3, Key: "d", Text: "is missing"},
	}}
	tests := []struct {
		name   string
		json   bool
		err    error
		out    string
		stderr string
		code   int
	}{
		{"plain", false, errors.New("it broke"), "", "kmproxy: error: it broke\n", exitFailed},
		{"usage", false, usage, "", "kmproxy: error: wrong 1\nkmproxy: hint: look there\n", exitUsage},
		{"wrapped", false, fmt.Errorf("doing it: %w", usage), "",
			"kmproxy: error: doing it: wrong 1\nkmproxy: hint: look there\n", exitUsage},
		{"hinted", false, hinted(errors.New("it broke"), "mend it"), "",
			"kmproxy: error: it broke\nkmproxy: hint: mend it\n", exitFailed},
		{"hinted anew", false, hinted(usage, "mend it"), "",
			"kmproxy: error: wrong 1\nkmproxy: hint: mend it\n", exitUsage},
		{"config", false, fmt.Errorf("reloading: %w", mistakes), "",
			"kmproxy: error: c:1: a: is bad\nkmproxy: hint: mend it\n" +
				"kmproxy: error: c:2: b: is bad\nkmproxy: hint: mend it\nkmproxy: error: c:3: d: is missing\n", exitUsage},
		{"config, json", true, mistakes,
			`{"error":"c:1: a: is bad\nc:2: b: is bad\nc:3: d: is missing","hint":"mend it"}` + "\n", "", exitUsage},
		{"json", true, usage, `{"error":"wrong 1","hint":"look there"}` + "\n", "", exitUsage},
		{"json without a hint", true, errors.New("it broke"), `{"error":"it broke","hint":""}` + "\n", "", exitFailed},
	}
	for _, tt := range tests {
		var out, stderr bytes.Buffer
		e := &env{stdout: &out, stderr: &stderr, json: tt.json}
		if code := e.fail(tt.err); code != tt.code || out.String() != tt.out || stderr.String() != tt.stderr {
			t.Errorf("%s: got code %d, stdout %q, stderr %q", tt.name, code, out.String(), stderr.String())
		}
	}
}

func TestFailSaysItOnStderrWhenStdoutIsGone(t *testing.T) {
	var stderr bytes.Buffer
	e := &env{stdout: full{}, stderr: &stderr, json: true}
	if code := e.fail(errors.New("it broke")); code != exitFailed || stderr.String() != "kmproxy: error: it broke\n" {
		t.Errorf("got code %d, stderr %q", code, stderr.String())
	}
}
