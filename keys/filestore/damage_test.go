package filestore_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/keys"
)

func TestEveryFlippedBitIsDamage(t *testing.T) {
	dir := t.TempDir()
	whole, _ := small(t).last()
	for _, name := range []string{"log.jsonl", "head.json"} {
		for i := range whole[name] {
			for bit := range 8 {
				flipped := slices.Clone(whole[name])
				flipped[i] ^= 1 << bit
				wantDamaged(t, dir, whole.with(name, flipped))
			}
			if t.Failed() {
				t.Fatalf("with byte %d of %s flipped", i, name)
			}
		}
	}
}

func TestEveryTruncationIsDamage(t *testing.T) {
	dir := t.TempDir()
	for _, whole := range small(t).files[1:] {
		for _, name := range []string{"log.jsonl", "head.json"} {
			for n := range whole[name] {
				wantDamaged(t, dir, whole.with(name, whole[name][:n]))
				if t.Failed() {
					t.Fatalf("with %s cut to %d of %d bytes", name, n, len(whole[name]))
				}
			}
		}
	}
}

func TestMovedLinesAreDamage(t *testing.T) {
	dir := t.TempDir()
	whole, _ := small(t).last()
	stranger, _ := smallAt(t, time.Unix(1e9, 0)).last() // the same commits at another time
	all, others := lines(whole["log.jsonl"]), lines(stranger["log.jsonl"])
	for i := range all {
		wantDamaged(t, dir, whole.with("log.jsonl", joined(slices.Delete(slices.Clone(all), i, i+1))))
		if i < len(all)-1 { // a second last line is an unacknowledged tail
			wantDamaged(t, dir, whole.with("log.jsonl", joined(slices.Insert(slices.Clone(all), i, all[i]))))
		}
		wantDamaged(t, dir, whole.with("log.jsonl", joined(slices.Replace(slices.Clone(all), i, i+1, others[i]))))
		for j := range i {
			swapped := slices.Clone(all)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			wantDamaged(t, dir, whole.with("log.jsonl", joined(swapped)))
		}
	}
}

func TestOtherDamage(t *testing.T) {
	h, stranger := small(t), smallAt(t, time.Unix(1e9, 0))
	whole, _ := h.last()
	log, head := whole["log.jsonl"], whole["head.json"]
	for name, c := range map[string]struct {
		files files
		says  string
	}{
		"empty log":              {whole.with("log.jsonl", nil), "line 1"},
		"empty log alone":        {files{"log.jsonl": nil}, "line 1"},
		"garbage log":            {whole.with("log.jsonl", bytes.Repeat([]byte("garbage\n"), 500)), "line 1"},
		"log of zeros":           {whole.with("log.jsonl", make([]byte, len(log))), "line 1"},
		"no log":                 {whole.without("log.jsonl"), "log.jsonl: it is missing"},
		"empty head":             {whole.with("head.json", nil), "head.json"},
		"garbage head":           {whole.with("head.json", []byte("{}\n")), "head.json"},
		"two heads":              {whole.with("head.json", bytes.Repeat(head, 2)), "head.json"},
		"head in the log":        {whole.with("log.jsonl", head), "line 1"},
		"log in the head":        {whole.with("head.json", lines(log)[0]), "head.json"},
		"no head":                {whole.without("head.json"), "head.json is missing"},
		"no head, generation 1":  {h.files[2].without("head.json"), "head.json is missing"},
		"head of generation 1":   {whole.with("head.json", h.files[2]["head.json"]), "head.json"},
		"head two commits older": {whole.with("head.json", h.files[3]["head.json"]), "old copy"},
		"head before a rewrite":  {h.files[3].with("head.json", h.files[1]["head.json"]), "names generation 1"},
		"head of another store":  {whole.with("head.json", stranger.files[5]["head.json"]), "revision 5"},
		"log of another store":   {stranger.files[3].with("head.json", h.files[2]["head.json"]), "names generation 1"},
		"log one commit older":   {whole.with("log.jsonl", h.files[4]["log.jsonl"]), "were acknowledged"},
		"log of generation 1":    {whole.with("log.jsonl", h.files[2]["log.jsonl"]), "generation 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := wantDamaged(t, t.TempDir(), c.files); err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error does not say %q: %v", c.says, err)
			}
		})
	}
}

func TestDamageSaysWhereAndWhatToDo(t *testing.T) {
	whole, _ := small(t).last()
	all := lines(whole["log.jsonl"])
	last := len(all) - 1
	all[last] = bytes.Replace(all[last], []byte(`"d":5`), []byte(`"d":6`), 1)
	dir := t.TempDir()
	err := wantDamaged(t, dir, whole.with("log.jsonl", joined(all)))
	for _, part := range []string{dir + "/log.jsonl", "line 5 (d, project/a)", "restore a backup"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

// TestOpenStoreNoticesDamage has a store that has seen the whole find what it can
// find at the ends of the files, and go on when they are whole again.
func TestOpenStoreNoticesDamage(t *testing.T) {
	whole, snap := small(t).last()
	log := whole["log.jsonl"]
	inSum, inHeader := slices.Clone(log), slices.Clone(log)
	inSum[len(log)-10] ^= 1
	inHeader[30] ^= 1
	dir := t.TempDir()
	s := open(t, dir)
	for _, f := range []files{
		whole.with("log.jsonl", log[:len(log)-1]),
		whole.with("log.jsonl", inSum),
		whole.with("log.jsonl", inHeader),
		whole.without("log.jsonl"),
		whole.without("head.json"),
	} {
		write(t, dir, whole)
		wantSame(t, load(t, s), snap)
		write(t, dir, f)
		if _, err := s.Load(t.Context()); !errors.Is(err, keys.ErrDamaged) {
			t.Errorf("load gave %v, want damage", err)
		}
		if _, err := s.Commit(t.Context(), snap.Revision, set("a", `1`)); !errors.Is(err, keys.ErrDamaged) {
			t.Errorf("commit gave %v, want damage", err)
		}
	}
}

// wantDamaged wants a store of these files to be refused for reading and writing
// and to stay as it is. It returns what Load says.
func wantDamaged(t *testing.T, dir string, f files) error {
	t.Helper()
	write(t, dir, f)
	s := open(t, dir)
	snap, err := s.Load(t.Context())
	if !errors.Is(err, keys.ErrDamaged) || len(snap.Entries) > 0 {
		t.Errorf("load gave %s and %v, want damage", show(snap), err)
	}
	for _, base := range []keys.Revision{0, 5} { // the oldest and the newest of small
		if rev, err := s.Commit(t.Context(), base, erase("project/a", `1`)); !errors.Is(err, keys.ErrDamaged) {
			t.Errorf("commit on revision %d gave revision %d and %v, want damage", base, rev, err)
		}
	}
	if !maps.EqualFunc(read(t, dir), f, bytes.Equal) {
		t.Error("the files were changed")
	}
	return err
}
