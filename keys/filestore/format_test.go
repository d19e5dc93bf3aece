package filestore_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kmproxy/keys"
)

const golden = "testdata/format1"

// TestFormat compares with files of the first release: what differs cannot read
// the stores that are in use.
func TestFormat(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir)
	s.SetClock(func() time.Time { return time.Date(2026, 10, 5, 18, 30, 0, 999, time.FixedZone("KST", 9*60*60)) })
	commit(t, s, set("project/a", `{"n": 1, "text": "<&> \" \\ é"}`), set("project/b", `"old"`))
	commit(t, s, set("meta", `{"seal": null}`))
	commit(t, s, erase("project/b", `"tombstone"`))
	commit(t, s, set("project/c", `[1, [2, {}]]`), del("meta"), set("project/a", `{"n": 2}`))
	want := commit(t, s)

	got, wanted := read(t, dir), read(t, golden)
	for _, name := range []string{"log.jsonl", "head.json"} {
		if len(wanted[name]) == 0 || string(got[name]) != string(wanted[name]) {
			t.Errorf("%s is\n%swant\n%s", name, got[name], wanted[name])
		}
	}
	wantSame(t, load(t, open(t, golden)), want)
}

// TestFormatAsDocumented reads the files with nothing but the package comment.
func TestFormatAsDocumented(t *testing.T) {
	found := read(t, golden)
	prev := ""
	for i, line := range lines(found["log.jsonl"]) {
		if !json.Valid(line) {
			t.Errorf("line %d is not JSON: %s", i+1, line)
		}
		content, end, _ := strings.Cut(string(line), `,"sum":"`)
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(prev+content)))
		if end != sum+"\"}\n" {
			t.Errorf("line %d has %q for the sum %s", i+1, end, sum)
		}
		prev = sum
	}
	var head struct {
		Rev    keys.Revision
		Length int
		Last   string
	}
	if err := json.Unmarshal(found["head.json"], &head); err != nil {
		t.Fatal(err)
	}
	if head.Rev != 5 || head.Length != len(found["log.jsonl"]) || head.Last != prev {
		t.Errorf("the head says %+v of a log of %d bytes that ends in %s", head, len(found["log.jsonl"]), prev)
	}
}
