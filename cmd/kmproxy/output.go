package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// result is what a command has to say: people read text, and with --json
// encoding/json makes the one document of it, by its tags.
type result interface {
	text(w io.Writer) error
}

// print writes a command's result to stdout in one piece. nil says that the
// command was done and has nothing to tell.
func (e *env) print(r result) error {
	var b bytes.Buffer
	stdout := e.writer(e.stdout)
	to := stdout
	if !e.json { // an encoder of JSON writes in one piece, and a long list need not be here twice
		to = &b
	}
	err := e.render(to, r)
	if err == nil && b.Len() > 0 {
		_, err = stdout.Write(b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	return nil
}

func (e *env) render(w io.Writer, r result) error {
	switch {
	case !e.json && r == nil:
		return nil
	case !e.json:
		return r.text(w)
	case r == nil:
		return encodeJSON(w, struct {
			OK bool `json:"ok"`
		}{true})
	}
	return encodeJSON(w, r)
}

// encodeJSON writes one line. It leaves <, > and & as they are: nobody puts
// this into a page, and keys and URLs stay readable.
func encodeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// notice is a result of words alone.
type notice struct {
	Text string `json:"text"`
}

func (n notice) text(w io.Writer) error {
	_, err := io.WriteString(w, n.Text)
	return err
}

// table writes rows in aligned columns under their titles.
func table(w io.Writer, titles []string, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{titles}, rows...) {
		if _, err := fmt.Fprintln(tw, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// record writes one thing, a line for each of its fields: name, value, name,
// value.
func record(w io.Writer, fields ...string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(fields); i += 2 {
		if _, err := fmt.Fprintf(tw, "%s\t%s\n", fields[i], fields[i+1]); err != nil {
			return err
		}
	}
	return tw.Flush()
}
