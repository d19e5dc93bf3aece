package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// TestKilled kills the built program at random moments of every command that
// changes the store, KILLS times in all: the store is as before or as after, whole
// and audited, and what was reported done is done.
func TestKilled(t *testing.T) {
	kills := numberFrom(t, "KILLS", 105)
	o := newOffice(t, newKiller(t), kills)
	tallies := make([]tally, len(killings))
	for i, kind := range killings {
		tallies[i].time(t, o, kind)
	}
	for round := range (kills + len(killings) - 1) / len(killings) {
		for i, kind := range killings {
			tallies[i].round(t, o, kind, round%2 == 0)
		}
	}
	const most = 40 // rounds more for a command whose moments fell badly
	for extra := range most {
		for i, kind := range killings {
			if !tallies[i].spread() || !sum(tallies).spreadInCommits() {
				tallies[i].round(t, o, kind, extra%2 == 0)
			}
		}
	}
	report(t, tallies)
}

// numberFrom is a number of the environment, by which a test is made longer.
func numberFrom(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is no number", name, text)
	}
	return n
}

// newOffice has projects with an active and a staged key each, enough of them for
// that many runs.
func newOffice(t *testing.T, k *killer, runs int) *office {
	t.Helper()
	o := &office{killer: k, master: "data/master.key"}
	fillStore(t, o.dir, 2*(20+runs/10))
	o.source(t, "data", o.master)
	if err := os.WriteFile(filepath.Join(o.dir, "client.pem"), []byte(newHalves(t).public), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// tally is what came of the runs of one command.
type tally struct {
	whole, writing reach // of a run, and of it while it writes

	runs, killed, nothing, midway, silent, reported int
}

// time takes the time of a run that is left alone.
func (y *tally) time(t *testing.T, o *office, kind killing) {
	t.Helper()
	run := y.run(t, o, kind, moment{})
	*y = tally{whole: reach(run.took), writing: reach(max(run.writing, time.Millisecond))}
}

// round kills one run, anywhere or while it writes.
func (y *tally) round(t *testing.T, o *office, kind killing, anywhere bool) {
	t.Helper()
	from := &y.whole
	if !anywhere {
		from = &y.writing
	}
	at := from.moment()
	at.writes = !anywhere
	from.learn(y.run(t, o, kind, at).killed)
}

// run makes the command possible, runs it, and compares what it left.
func (y *tally) run(t *testing.T, o *office, kind killing, at moment) outcome {
	t.Helper()
	args, change := kind.ready(t, o)
	before := o.look(t)
	if _, told := change["audit"]; !told {
		entries, _ := strconv.Atoi(before["audit"])
		change["audit"] = strconv.Itoa(entries + 1)
	}
	run := o.run(t, at, args...)
	midway := o.midway(t)
	if kind.settle != nil {
		kind.settle(t, o, run)
	}
	after := o.look(t)
	want := before.with(change)
	done := !after.is(before)
	switch {
	case done && !after.is(want):
		t.Fatalf("%q left neither the state before nor the one after it:\n%v\nwant %v\nor   %v", args, after, before, want)
	case !done && run.report != nil:
		t.Fatalf("%q was reported done and is lost: %v", args, run.report)
	}
	o.wantReported(t, run.report, after)
	o.source(t, "data", o.master)
	y.add(run, done, midway)
	return run
}

// wantReported wants what a report names to be there.
func (o *office) wantReported(t *testing.T, report map[string]any, after world) {
	t.Helper()
	asp, _ := report["asp_id"].(string)
	for field, place := range map[string]string{"key_id": "key/", "access_key": "access/"} {
		if id, ok := report[field].(string); ok && asp != "" && after[place+asp+"/"+id] == "" {
			t.Fatalf("%v was reported and is not there", report)
		}
	}
	if file, ok := report["client_private_key_file"].(string); ok {
		if _, err := os.Stat(filepath.Join(o.dir, file)); err != nil {
			t.Fatal(err)
		}
	}
}

func (y *tally) add(run outcome, done, midway bool) {
	y.runs++
	if run.report != nil {
		y.reported++
	}
	if !run.killed {
		return
	}
	y.killed++
	switch {
	case midway:
		y.midway++
	case !done:
		y.nothing++
	case run.report == nil:
		y.silent++
	}
}

// spread tells whether the moments cover a command from its begin to its end.
func (y *tally) spread() bool {
	return y.killed > y.runs/5 && y.nothing > 0 && y.reported > y.runs/20
}

// spreadInCommits tells whether some moments fell into a commit, and some behind
// one, before it was told.
func (y *tally) spreadInCommits() bool { return y.midway > 0 && y.silent > 0 }

func sum(tallies []tally) *tally {
	s := &tally{}
	for _, y := range tallies {
		s.runs += y.runs
		s.killed += y.killed
		s.nothing += y.nothing
		s.midway += y.midway
		s.silent += y.silent
		s.reported += y.reported
	}
	return s
}

// report prints what came of all runs.
func report(t *testing.T, tallies []tally) {
	t.Helper()
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, y *tally) {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", name, y.runs, y.killed, y.nothing, y.midway, y.silent, y.reported)
	}
	_, _ = fmt.Fprintln(w, "command\truns\tkilled\tbefore it wrote\twhile it wrote\tbefore it told\treported done\t")
	for i := range tallies {
		row(killings[i].name, &tallies[i])
		if !tallies[i].spread() {
			t.Errorf("the moments for %s are not spread well", killings[i].name)
		}
	}
	row("all", sum(tallies))
	_ = w.Flush()
	t.Logf("nothing that was reported done is lost:\n%s", &text)
	if !sum(tallies).spreadInCommits() {
		t.Error("no moment fell into a commit, or behind one")
	}
}
