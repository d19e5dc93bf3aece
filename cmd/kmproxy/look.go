package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"kmproxy/keys"
)

// look is how things look to people: ages are seen from now, and states have
// colours on a terminal that was not asked for none.
type look struct {
	now     time.Time
	colours bool
}

func (e *env) look() look {
	out, isFile := e.stdout.(*os.File)
	return look{now: e.now(), colours: isFile && e.getenv("NO_COLOR") == "" && e.getenv("TERM") != "dumb" && term.IsTerminal(int(out.Fd()))}
}

// state colours what can be used green, what is on its way yellow, and what is
// out of use red. The escape has the same length for all, so that columns stay.
func (l look) state(s keys.State) string {
	if !l.colours {
		return s.String()
	}
	colour := map[keys.State]int{keys.Staged: 36, keys.Active: 32, keys.Draining: 33, keys.Suspended: 31, keys.Discarded: 90}[s]
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, s)
}

// ago is how long something is past, in its largest unit.
func (l look) ago(t time.Time) string {
	d := l.now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case d < 0:
		return "in " + span(-d)
	case d < time.Second:
		return "now"
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{365 * day, "y"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if d >= u.of {
			return fmt.Sprintf("%d %s", d/u.of, u.name)
		}
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
