package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
)

func TestBar(t *testing.T) {
	for _, c := range []struct {
		done, total int
		want        string
	}{
		{0, 1000, "\rwork [" + strings.Repeat(".", 40) + "] 0 of 1000"},
		{500, 1000, "\rwork [" + strings.Repeat("#", 20) + strings.Repeat(".", 20) + "] 500 of 1000"},
		{1000, 1000, "\rwork [" + strings.Repeat("#", 40) + "] 1000 of 1000\n"},
		{0, 0, "\rwork [" + strings.Repeat("#", 40) + "] 0 of 0\n"},
	} {
		var out bytes.Buffer
		if drawBar(&out, "work", c.done, c.total); out.String() != c.want {
			t.Errorf("got %q, want %q", out.String(), c.want)
		}
	}
}

// TestNoBarWithoutTerminal: not into a pipe, and not into what is no file.
func TestNoBarWithoutTerminal(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, to := range []io.Writer{write, &out} {
		(&env{stderr: to}).progress("work")(1, 2)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	piped, err := io.ReadAll(read)
	if err != nil || len(piped) > 0 || out.Len() > 0 {
		t.Errorf("a bar was drawn: %q, %q, %v", piped, out.String(), err)
	}
}
