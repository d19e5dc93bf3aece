package filestore_test

import (
	"slices"
	"testing"

	"kmproxy/keys"
)

// TestCrashPoints walks through the table in the package comment: what a writer
// leaves that dies after each step, and what the store is then.
func TestCrashPoints(t *testing.T) {
	h := small(t)
	half := []byte("half of a fi")
	created, appended, rewritten := h.files[1], h.files[2], h.files[3]
	for _, c := range []struct {
		name  string
		files files
		want  keys.Snapshot
	}{
		{"creating: folder", files{}, h.snaps[0]},
		{"creating: half a staged log", files{"log.jsonl.tmp": half}, h.snaps[0]},
		{"creating: staged log", files{"log.jsonl.tmp": created["log.jsonl"]}, h.snaps[0]},
		{"creating: both staged", files{"log.jsonl.tmp": created["log.jsonl"], "head.json.tmp": created["head.json"]}, h.snaps[0]},
		{"creating: log", files{"log.jsonl": created["log.jsonl"], "head.json.tmp": created["head.json"]}, h.snaps[1]},
		{"creating: log, power cut", files{"log.jsonl": created["log.jsonl"]}, h.snaps[1]},
		{"creating: done", created, h.snaps[1]},

		{"appending: line", created.with("log.jsonl", appended["log.jsonl"]), h.snaps[1]},
		{"appending: half a staged head", created.with("log.jsonl", appended["log.jsonl"]).with("head.json.tmp", half), h.snaps[1]},
		{"appending: staged head", created.with("log.jsonl", appended["log.jsonl"]).with("head.json.tmp", appended["head.json"]), h.snaps[1]},
		{"appending: done", appended, h.snaps[2]},

		{"rewriting: half a staged log", appended.with("log.jsonl.tmp", half), h.snaps[2]},
		{"rewriting: staged log", appended.with("log.jsonl.tmp", rewritten["log.jsonl"]), h.snaps[2]},
		{"rewriting: both staged", appended.with("log.jsonl.tmp", rewritten["log.jsonl"]).with("head.json.tmp", rewritten["head.json"]), h.snaps[2]},
		{"rewriting: log", appended.with("log.jsonl", rewritten["log.jsonl"]).with("head.json.tmp", rewritten["head.json"]), h.snaps[3]},
		{"rewriting: log, power cut", appended.with("log.jsonl", rewritten["log.jsonl"]), h.snaps[3]},
		{"rewriting: done", rewritten, h.snaps[3]},

		{"rewriting over a torn tail: log", created.with("log.jsonl", rewrittenOver(t, created, appended)), h.snaps[2]},
	} {
		t.Run(c.name, func(t *testing.T) { wantGoesOn(t, c.files, c.want) })
	}
}

// rewrittenOver is the log of a rewrite on the first commit while the line of the
// second stood there, not acknowledged.
func rewrittenOver(t *testing.T, created, appended files) []byte {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, created.with("log.jsonl", appended["log.jsonl"]))
	commit(t, open(t, dir), erase("project/a", `{"n":"3"}`), del("project/b"), set("c", `"x"`))
	return read(t, dir)["log.jsonl"]
}

// wantGoesOn wants this state from a store that is opened now and from one that
// was open all the time, and from there any kind of commit.
func wantGoesOn(t *testing.T, left files, want keys.Snapshot) {
	t.Helper()
	for name, next := range map[string]keys.Change{"append": set("next", `1`), "rewrite": erase("next", `1`)} {
		dir := t.TempDir()
		write(t, dir, left)
		seen := open(t, dir)
		wantSame(t, load(t, seen), want)
		wantSame(t, load(t, seen), want)
		after := commit(t, open(t, dir), next)
		if after.Revision != want.Revision+1 || len(after.Entries) != len(want.Entries)+1 {
			t.Errorf("%s led to %s", name, show(after))
		}
		wantSame(t, load(t, seen), after)
		after = commit(t, seen, next)
		wantSame(t, load(t, open(t, dir)), after)
		if found := read(t, dir); len(found) != 2 {
			t.Errorf("%s left more than the log and its head: %d files", name, len(found))
		}
	}
}

// TestLogWithoutItsHeadIsChecked damages a log whose head was not written yet.
func TestLogWithoutItsHeadIsChecked(t *testing.T) {
	h := small(t)
	dir := t.TempDir()
	for rev, left := range map[int]files{
		1: h.files[1].without("head.json"),
		3: h.files[3].with("head.json", h.files[2]["head.json"]),
	} {
		write(t, dir, left)
		wantSame(t, load(t, open(t, dir)), h.snaps[rev])
		log := left["log.jsonl"]
		for i := range log {
			flipped := slices.Clone(log)
			flipped[i] ^= 1
			wantDamaged(t, dir, left.with("log.jsonl", flipped))
			wantDamaged(t, dir, left.with("log.jsonl", log[:i]))
		}
		wantDamaged(t, dir, left.with("log.jsonl", append(slices.Clone(log), '\n')))
	}
}
