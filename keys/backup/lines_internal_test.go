package backup

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
)

// endless gives one byte without an end and counts how many were taken.
type endless struct {
	b     byte
	taken int64
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.b
	}
	e.taken += int64(len(p))
	return len(p), nil
}

// TestEndlessLine: a file that is no backup, whatever its size, is read as far as a
// line may be long; also one that begins as a backup does.
func TestEndlessLine(t *testing.T) {
	for _, begin := range []string{"", `{"kmproxy_backup":1,"created_at":"2026-01-02T12:00:00Z","revision":1,"records":9000000000,"uses":9000000000}` + "\n"} {
		rest := &endless{}
		_, err := Read(io.MultiReader(strings.NewReader(begin), rest))
		if !errors.Is(err, ErrBad) || !strings.Contains(err.Error(), "a line is longer than") {
			t.Errorf("after %q: %v", begin, err)
		}
		if rest.taken > maxLine+1<<20 {
			t.Errorf("after %q: %d bytes were read", begin, rest.taken)
		}
	}
}

// TestTooLong: lines without an end are an error as well.
func TestTooLong(t *testing.T) {
	l := newLines(&endless{b: '\n'})
	l.total = maxTotal - 2
	var err error
	for n := 0; err == nil; n++ {
		if _, err = l.next(); n == 2 && err == nil {
			t.Fatal("it is read beyond its bound")
		}
	}
	if !errors.Is(err, ErrBad) || !strings.Contains(err.Error(), "it is longer than") {
		t.Error(err)
	}
}

// TestTooManyUses: what a ledger could not hold is refused before it is in memory.
func TestTooManyUses(t *testing.T) {
	r := &reader{number: 2, sum: sha256.New()}
	line := []byte(`{"use":{"requests":1}}` + "\n")
	if err := r.line(line); err != nil {
		t.Fatal(err)
	}
	r.uses = maxUses - len(line) + 1
	if err := r.line(line); err == nil || !strings.Contains(err.Error(), "the lines of uses have more than") {
		t.Error(err)
	}
}
