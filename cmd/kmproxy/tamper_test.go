package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kmproxy/keys"
)

// tampering is what somebody does to the store who has no master key.
type tampering struct {
	what  string
	how   func(*testing.T, *scene)
	names string // where it is found
}

const (
	recordA, recordB = "project/" + aspA, "project/" + aspB
	aspA, aspB       = "A00000000000001", "B00000000000001"
)

func entryName(n int) string { return fmt.Sprintf("audit/%012d", n) }

// broken are changes of the files alone: their sums do not fit.
var broken = []tampering{
	{"a byte of a record", inLog(func(log []byte) []byte { return once(log, `"state":"suspended"`, `"state":"activated"`) }), "(" + recordB},
	{"a byte of an audit entry", inLog(func(log []byte) []byte { return once(log, `"action":"key suspend"`, `"action":"key suspenD"`) }), entryName(6)},
	{"two lines exchanged", inLines(func(l [][]byte) [][]byte { return exchanged(l, -3, -2) }), "log.jsonl: line "},
	{"a line taken out", inLines(func(l [][]byte) [][]byte { return append(l[:len(l)-3:len(l)-3], l[len(l)-2:]...) }), "log.jsonl: "},
	{"the last line cut off", inLines(func(l [][]byte) [][]byte { return l[:len(l)-1] }), "were acknowledged"},
	{"the log cut in a line", inLog(func(log []byte) []byte { return log[:len(log)/2] }), "were acknowledged"},
	{"the log emptied", inLog(func([]byte) []byte { return nil }), "log.jsonl: line 1"},
	{"the log deleted", func(t *testing.T, s *scene) { s.remove(t, "log.jsonl") }, "log.jsonl: it is missing"},
	{"head.json deleted", func(t *testing.T, s *scene) { s.remove(t, "head.json") }, "head.json is missing"},
	{"head.json edited", func(t *testing.T, s *scene) { s.write(t, "head.json", once(s.good["head.json"], `"rev":`, `"rev":1`)) }, "head.json"},
	{"head.json put back", func(t *testing.T, s *scene) { s.write(t, "head.json", s.early["head.json"]) }, "head.json is an old copy"},
	{"the log put back", func(t *testing.T, s *scene) { s.write(t, "log.jsonl", s.early["log.jsonl"]) }, "were acknowledged"},
}

// forged are changes whose sums were made anew: only what the master key sealed
// tells them.
var forged = []tampering{
	{"records of two projects exchanged", swap(recordA, recordB), recordA},
	{"sealed parts of two projects exchanged", func(t *testing.T, s *scene) {
		a, b := s.value(t, recordA), s.value(t, recordB)
		s.commit(t, set(recordA, once(a, sealedOf(a), sealedOf(b))), set(recordB, once(b, sealedOf(b), sealedOf(a))))
	}, recordB},
	{"a record copied over another", func(t *testing.T, s *scene) {
		s.commit(t, set(recordA, bytes.ReplaceAll(s.value(t, recordB), []byte(aspB), []byte(aspA))))
	}, recordA},
	{"an older version of a record put back", func(t *testing.T, s *scene) { s.commit(t, set(recordB, s.old[recordB].Value)) }, recordB},
	{"an older version under the new number", func(t *testing.T, s *scene) {
		s.commit(t, set(recordB, once(s.old[recordB].Value, `"version":2`, `"version":3`)))
	}, recordB},
	{"a state edited", replace(recordB, `"suspended"`, `"active"`), recordB},
	{"a sealed part edited", replace(recordA, `"sealed":"km1.`, `"sealed":"km1.0`), recordA},
	{"a record deleted", drop(recordA), recordA},
	{"the CA edited", replace("item/local-ca", `BEGIN`, `BEGIM`), "item/local-ca"},
	{"the seal record edited", replace("seal", `"created_at":"20`, `"created_at":"19`), "record seal"},
	{"an audit entry edited", replace(entryName(3), `"actor":"`, `"actor":"x`), "entry 3"},
	{"what an audit entry tells edited", replace(entryName(6), `"suspended"`, `"active"`), "entry 6"},
	{"the first audit entry deleted", drop(entryName(1)), "entry 1"},
	{"an audit entry deleted", drop(entryName(4)), "entry 4"},
	{"the last audit entry deleted", drop(entryName(7)), recordA},
	{"two audit entries deleted at the end", drop(entryName(6), entryName(7)), recordB},
	{"two audit entries exchanged", swap(entryName(3), entryName(4)), entryName(3)},
	{"two audit entries exchanged and numbered anew", func(t *testing.T, s *scene) {
		s.commit(t, set(entryName(3), once(s.value(t, entryName(4)), `"seq":4`, `"seq":3`)), set(entryName(4), once(s.value(t, entryName(3)), `"seq":3`, `"seq":4`)))
	}, "entry 3"},
	{"the audit key's record replaced", replace("audit-key", `"sealed":"km1.`, `"sealed":"km1.0`), "audit-key"},
	{"two commits exchanged", func(t *testing.T, s *scene) { s.reseal(t, func(l []string) []string { return exchanged(l, -3, -2) }) }, "log.jsonl: line "},
	{"a commit taken out", func(t *testing.T, s *scene) {
		s.reseal(t, func(l []string) []string {
			last := len(l) - 1
			return append(l[:last-1:last-1], once(l[last], `{"rev":7`, `{"rev":6`))
		})
	}, "entry 6"},
}

// TestTampered: it is named, verifying ends with 1, and no proxy starts on it.
func TestTampered(t *testing.T) {
	s := newScene(t, newKiller(t))
	s.wantWhole(t)
	for _, c := range append(broken, forged...) {
		s.putBack(t)
		c.how(t, s)
		before := s.files(t)
		for _, args := range [][]string{{"audit", "verify"}, {"serve"}} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			cmd := exec.CommandContext(ctx, s.program, args...)
			cmd.Dir = s.dir
			out, err := cmd.CombinedOutput()
			cancel()
			said := string(out)
			if err == nil || cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(said, c.names) ||
				!strings.Contains(said, "kmproxy: error: ") || !strings.Contains(said, "kmproxy: hint: ") {
				t.Errorf("%s: %s: %v, want %s named:\n%s", c.what, args, err, c.names, said)
			}
		}
		if after := s.files(t); !bytes.Equal(before["log.jsonl"], after["log.jsonl"]) || !bytes.Equal(before["head.json"], after["head.json"]) {
			t.Errorf("%s: something was written over it", c.what)
		}
	}
	s.putBack(t)
	s.wantWhole(t)
}

func inLog(change func([]byte) []byte) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) { s.write(t, "log.jsonl", change(bytes.Clone(s.good["log.jsonl"]))) }
}

func inLines(change func([][]byte) [][]byte) func(*testing.T, *scene) {
	return inLog(func(log []byte) []byte {
		lines := bytes.SplitAfter(log, []byte("\n"))
		return bytes.Join(change(lines[:len(lines)-1]), nil)
	})
}

// exchanged counts from the end.
func exchanged[T any](list []T, i, j int) []T {
	i, j = len(list)+i, len(list)+j
	list[i], list[j] = list[j], list[i]
	return list
}

// once replaces the last such text, which must be there.
func once[T string | []byte](text T, from, to string) T {
	at := strings.LastIndex(string(text), from)
	if at < 0 {
		panic(fmt.Sprintf("there is no %s in %.300s", from, string(text)))
	}
	return T(string(text)[:at] + to + string(text)[at+len(from):])
}

func sealedOf(record []byte) string {
	_, sealed, _ := strings.Cut(string(record), `"sealed":`)
	return sealed
}

func set(name string, value []byte) keys.Change { return keys.Change{Name: name, Value: value} }

func swap(a, b string) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) { s.commit(t, set(a, s.value(t, b)), set(b, s.value(t, a))) }
}

func replace(name, from, to string) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) { s.commit(t, set(name, once(s.value(t, name), from, to))) }
}

func drop(names ...string) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		var changes []keys.Change
		for _, name := range names {
			changes = append(changes, set(name, nil))
		}
		s.commit(t, changes...)
	}
}

func (s *scene) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(s.store(name)); err != nil {
		t.Fatal(err)
	}
}
