package filestore_test

import (
	"bytes"
	"slices"
	"testing"

	"kmproxy/keys"
)

// TestTornTail leaves a commit that was appended but not acknowledged, in every
// form that a crash or a power cut can give it.
func TestTornTail(t *testing.T) {
	h := small(t)
	before, old := h.files[4], h.snaps[4]
	tail := h.files[5]["log.jsonl"][len(before["log.jsonl"]):]
	if len(tail) == 0 {
		t.Fatal("the last commit appended nothing")
	}
	dir := t.TempDir()
	for n := range len(tail) + 1 {
		wantAsBefore(t, dir, before, tail[:n], old)
		holes := slices.Clone(tail)
		clear(holes[n:])
		wantAsBefore(t, dir, before, holes, old)
	}
	for i := range tail {
		flipped := slices.Clone(tail)
		flipped[i] ^= 1
		wantAsBefore(t, dir, before, flipped, old)
	}
	for _, garbage := range [][]byte{
		{'\n'},
		make([]byte, 5000),
		bytes.Repeat([]byte("{}\n"), 100),
		bytes.Repeat(tail, 2),
		slices.Concat(tail, []byte("{\"rev\":6")),
		before["log.jsonl"],
	} {
		wantAsBefore(t, dir, before, garbage, old)
	}
}

// wantAsBefore wants the state that was acknowledged, and the tail gone with the
// next commit.
func wantAsBefore(t *testing.T, dir string, acknowledged files, tail []byte, want keys.Snapshot) {
	t.Helper()
	write(t, dir, acknowledged.with("log.jsonl", slices.Concat(acknowledged["log.jsonl"], tail)))
	wantSame(t, load(t, open(t, dir)), want)
	next := commit(t, open(t, dir), set("next", `1`))
	if next.Revision != want.Revision+1 || len(next.Entries) != len(want.Entries)+1 {
		t.Errorf("the next commit led to %s", show(next))
	}
	wantSame(t, load(t, open(t, dir)), next)
	if all := lines(read(t, dir)["log.jsonl"]); !bytes.Contains(all[len(all)-1], []byte(`{"next":1}`)) {
		t.Errorf("the tail was not cut off: the log ends in %q", all[len(all)-1])
	}
	if t.Failed() {
		t.Fatalf("with a tail of %q", tail)
	}
}
