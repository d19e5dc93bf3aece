package filestore_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// TestFittingSumsAreNotEnough writes lines whose sums fit, and that are in
// themselves what a writer writes, but that do not follow from each other.
func TestFittingSumsAreNotEnough(t *testing.T) {
	const (
		header = `{"kmproxy_store":1,"generation":2,"rev":3,"at":"2026-10-05T09:30:00Z","kept":2,"replaces":"1d"`
		first  = `{"rev":1,"set":{"a":1}`
		second = `{"rev":3,"set":{"b":1}`
		commit = `{"rev":4,"at":"2026-10-05T09:30:00Z","set":{"a":2}`
		last   = `{"rev":5,"at":"2026-10-05T09:30:00Z","set":{"a":3}`
	)
	dir := t.TempDir()
	write(t, dir, forge(5, header, first, second, commit, last))
	if got := load(t, open(t, dir)); got.Revision != 5 || string(got.Entries["a"].Value) != "3" || len(got.Entries) != 2 {
		t.Fatalf("a log as it should be gave %s", show(got))
	}
	for name, c := range map[string]struct {
		rev   int
		lines []string
		says  string
	}{
		"commits swapped":          {5, []string{header, first, second, last, commit}, "line 4 (a)"},
		"commit missing":           {5, []string{header, first, second, last}, "line 4 (a)"},
		"commit twice":             {5, []string{header, first, second, commit, commit, last}, "line 5 (a)"},
		"commit without a time":    {4, []string{header, first, second, `{"rev":4,"set":{"a":2}`}, "line 4 (a)"},
		"head one behind":          {4, []string{header, first, second, commit, last}, "revision 5"},
		"head one ahead":           {6, []string{header, first, second, commit, last}, "revision 5"},
		"kept entry missing":       {3, []string{header, first}, "line 3"},
		"kept entry twice":         {3, []string{header, first, first}, "line 3"},
		"kept entry of no commit":  {3, []string{header, first, `{"rev":0,"set":{"b":1}`}, "line 3 (b)"},
		"kept entry of the future": {3, []string{header, first, `{"rev":4,"set":{"b":1}`}, "line 3 (b)"},
		"kept entry with a time":   {3, []string{header, first, `{"rev":3,"at":"x","set":{"b":1}`}, "line 3 (b)"},
		"kept entry deleted":       {3, []string{header, first, `{"rev":3,"del":["b"]`}, "line 3 (b)"},
		"two kept on one line":     {3, []string{header, first, `{"rev":3,"set":{"b":1,"c":1}`}, "line 3 (b, c)"},
		"no name":                  {3, []string{header, first, `{"rev":3,"set":{"":1}`}, "line 3"},
		"no value":                 {3, []string{header, first, `{"rev":3,"set":{"b":}`}, "line 3"},
		"more than a record":       {3, []string{header, first, second + `,"x":1`}, "line 3"},
		"another format":           {3, []string{strings.Replace(header, `store":1`, `store":2`, 1), first, second}, "line 1"},
		"no revision":              {3, []string{strings.Replace(header, `"rev":3`, `"rev":0`, 1), first, second}, "line 1"},
		"too many kept":            {3, []string{strings.Replace(header, `"kept":2`, `"kept":9223372036854775808`, 1), first, second}, "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			err := wantDamaged(t, t.TempDir(), forge(c.rev, c.lines...))
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error does not say %q: %v", c.says, err)
			}
		})
	}
}

// forge seals lines and acknowledges them all, as the package comment describes.
func forge(rev int, contents ...string) files {
	log, last := "", ""
	for _, content := range contents {
		last = fmt.Sprintf("%x", sha256.Sum256([]byte(last+content)))
		log += content + `,"sum":"` + last + "\"}\n"
	}
	head := fmt.Sprintf(`{"kmproxy_head":1,"generation":2,"rev":%d,"length":%d,"last":"%s"`, rev, len(log), last)
	head += fmt.Sprintf(`,"sum":"%x"}`+"\n", sha256.Sum256([]byte(head)))
	return files{"log.jsonl": []byte(log), "head.json": []byte(head)}
}
