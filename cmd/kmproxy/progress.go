package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// progress draws a bar on stderr, which is one line that is written over. To
// anything but a terminal it writes nothing.
func (e *env) progress(what string) func(done, total int) {
	f, ok := e.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int, int) {}
	}
	return func(done, total int) { drawBar(e.writer(f), what, done, total) }
}

// drawBar ends its line when all is done.
func drawBar(w io.Writer, what string, done, total int) {
	const width = 40
	filled := width
	if total > 0 {
		filled = width * done / total
	}
	end := ""
	if done == total {
		end = "\n"
	}
	// a terminal that is gone is no reason to stop
	_, _ = fmt.Fprintf(w, "\r%s [%s%s] %d of %d%s", what, strings.Repeat("#", filled), strings.Repeat(".", width-filled), done, total, end)
}
