package wire_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const repository = "../../.."

// notYet lists what is still to be reworded: a file, a folder, or with /...
// everything below a folder. Delete an entry when its texts are clean.
var notYet = []string{
	"bench/...",
	"cmd/internal/arsdemo", "cmd/internal/config/...", "cmd/internal/logqueue", "cmd/internal/wire",
	"cmd/kmproxy", "cmd/kmproxy/testdata/...",
	"crypto/jwe/...",
	"e2e/...",
	"keys", "keys/audit", "keys/backup/...", "keys/filestore/...", "keys/internal/...", "keys/manage/...",
	"keys/memstore", "keys/reseal/...", "keys/ring/...", "keys/storetest", "keys/testdata/...", "keys/usage",
}

// TestWordsToAvoid checks every text of the repository against the table in
// CONTRIBUTING.md.
func TestWordsToAvoid(t *testing.T) {
	words := wordsToAvoid(t)
	checked := 0
	for _, name := range texts(t) {
		if isNotYet(name) {
			continue
		}
		checked++
		text := read(t, name)
		for _, w := range words {
			for _, line := range w.lines(text) {
				t.Errorf("%s:%d: %q: write %q", name, line, w.avoid, w.instead)
			}
		}
	}
	if checked == 0 {
		t.Error("no file was checked")
	}
}

func TestWordsAreFound(t *testing.T) {
	w := newWord("goes on", "continues")
	const text = "Goes on.\n// It goes\n// on, and what goes on, does.\nhe goes only; egoes on\nGoes on=1\n"
	if got := w.lines(text); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("found in lines %d", got)
	}
}

// word is a row of the table.
type word struct {
	avoid, instead string
	found          *regexp.Regexp
}

// newWord finds avoid in any letter case and across the lines of a comment. What is
// followed by = is the name of a setting, such as systemd's Wants.
func newWord(avoid, instead string) word {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(avoid), " ", `[\s/#]+`)
	return word{avoid, instead, regexp.MustCompile(`(?i)\b` + pattern + `\b(?:[^=]|$)`)}
}

// lines returns the numbers of the lines in which the word begins.
func (w word) lines(text string) []int {
	var lines []int
	for _, at := range w.found.FindAllStringIndex(text, -1) {
		lines = append(lines, 1+strings.Count(text[:at[0]], "\n"))
	}
	return lines
}

// wordsToAvoid reads the table.
func wordsToAvoid(t *testing.T) []word {
	t.Helper()
	var words []word
	for line := range strings.Lines(wordTable(t)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 2 {
			t.Fatalf("not a row: %s", line)
		}
		words = append(words, newWord(cells[0], cells[1]))
	}
	if len(words) < 30 {
		t.Fatalf("only %d words to avoid", len(words))
	}
	return words
}

// wordTable returns the rows of the table, which is the only text that may have
// the words in it.
func wordTable(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| avoid | write instead |\n| --- | --- |\n")
	if !found {
		t.Fatal("CONTRIBUTING.md has no table of words to avoid")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	return table
}

// read returns a text without the table, and without net/http's NoBody.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.ReplaceAll(string(text), "http.NoBody", "")
	if name != "CONTRIBUTING.md" {
		return words
	}
	table := wordTable(t)
	return strings.Replace(words, table, strings.Repeat("\n", strings.Count(table, "\n")), 1)
}

// texts lists the files that people read, by their path in the repository.
func texts(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(repository), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && isNotOurs(name):
			return fs.SkipDir
		case !d.IsDir() && isText(name):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 100 {
		t.Fatalf("only %d texts found", len(names))
	}
	return names
}

// isNotOurs reports whether a folder is git's, a tool's or made by a build.
func isNotOurs(name string) bool {
	return name == "dist" || name == "data" || filepath.Base(name) == "node_modules" ||
		name != "." && strings.HasPrefix(filepath.Base(name), ".")
}

func isText(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".md", ".toml", ".txtar", ".service", ".socket", ".timer", ".yaml", ".svg", ".mjs", ".py", ".bash", ".fish", ".zsh":
		return true
	}
	return slices.Contains([]string{"Makefile", "Dockerfile", "kmproxyctl"}, filepath.Base(name)) || filepath.Dir(name) == "scripts"
}

func isNotYet(name string) bool {
	return slices.ContainsFunc(notYet, func(entry string) bool {
		if folder, below := strings.CutSuffix(entry, "/..."); below {
			return strings.HasPrefix(name, folder+"/")
		}
		return name == entry || filepath.ToSlash(filepath.Dir(name)) == entry
	})
}
