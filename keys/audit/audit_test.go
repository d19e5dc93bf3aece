package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/sensitive/sensitivetest"
	"kmproxy/keys/audit"
)

// chain is a key and the entries that it linked.
func chain(t *testing.T, n int) (audit.Key, []audit.Entry) {
	t.Helper()
	key := audit.NewKey()
	var entries []audit.Entry
	var last *audit.Entry
	for i := range n {
		e, err := key.Link(last, audit.Entry{Time: time.Unix(int64(i), 0).UTC(), Actor: "operator", Action: "key suspend",
			Target: fmt.Sprint("key ", i), After: json.RawMessage(`{"state":"suspended"}`), Wrote: map[string]string{"project/a": audit.Digest([]byte{byte(i)})}})
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
		last = &entries[i]
	}
	return key, entries
}

func TestChainHolds(t *testing.T) {
	key, entries := chain(t, 5)
	if err := key.Verify(entries); err != nil {
		t.Error(err)
	}
	if err := key.Verify(nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
	for i := range entries {
		if err := key.VerifyAfter(&entries[i], entries[i+1:]); err != nil {
			t.Errorf("after entry %d: %v", i+1, err)
		}
	}
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	var again []audit.Entry
	if err := json.Unmarshal(text, &again); err != nil || key.Verify(again) != nil {
		t.Errorf("written and read: %v, %v", err, key.Verify(again))
	}
}

// TestEveryMemberIsCovered edits each member of an entry in turn, the last entry
// as well as one with others behind it.
func TestEveryMemberIsCovered(t *testing.T) {
	edits := map[string]func(*audit.Entry){
		"seq":         func(e *audit.Entry) { e.Seq++ },
		"time":        func(e *audit.Entry) { e.Time = e.Time.Add(time.Second) },
		"actor":       func(e *audit.Entry) { e.Actor = "nobody" },
		"action":      func(e *audit.Entry) { e.Action = "key resume" },
		"target":      func(e *audit.Entry) { e.Target += "0" },
		"before":      func(e *audit.Entry) { e.Before = json.RawMessage(`{}`) },
		"after":       func(e *audit.Entry) { e.After = nil },
		"wrote":       func(e *audit.Entry) { e.Wrote = map[string]string{"project/a": audit.Digest(nil)} },
		"wrote, more": func(e *audit.Entry) { e.Wrote = map[string]string{"project/a": e.Wrote["project/a"], "project/b": ""} },
		"chain":       func(e *audit.Entry) { e.Chain = strings.Repeat("0", 64) },
		"moved":       func(e *audit.Entry) { e.Action, e.Target = e.Action+e.Target, "" },
	}
	for name, edit := range edits {
		for _, at := range []int{0, 2, 4} {
			key, entries := chain(t, 5)
			edit(&entries[at])
			err := key.Verify(entries)
			if !errors.Is(err, audit.ErrBroken) || !strings.Contains(err.Error(), fmt.Sprint("entry ", at+1)) {
				t.Errorf("%s of entry %d: %v", name, at+1, err)
			}
		}
	}
}

func TestOrderIsCovered(t *testing.T) {
	orders := map[string]func([]audit.Entry) []audit.Entry{
		"first gone":  func(e []audit.Entry) []audit.Entry { return e[1:] },
		"middle gone": func(e []audit.Entry) []audit.Entry { return slices.Delete(e, 2, 3) },
		"twice":       func(e []audit.Entry) []audit.Entry { return slices.Insert(e, 2, e[1]) },
		"swapped":     func(e []audit.Entry) []audit.Entry { e[1], e[2] = e[2], e[1]; return e },
		"swapped, renumbered": func(e []audit.Entry) []audit.Entry {
			e[1], e[2] = e[2], e[1]
			e[1].Seq, e[2].Seq = 2, 3
			return e
		},
		"gone, renumbered": func(e []audit.Entry) []audit.Entry {
			e = slices.Delete(e, 2, 3)
			for i := range e {
				e[i].Seq = uint64(i + 1)
			}
			return e
		},
	}
	for name, order := range orders {
		key, entries := chain(t, 5)
		if err := key.Verify(order(entries)); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNobodyChainsWithoutTheKey: entries of another chain do not fit, whole or in part.
func TestNobodyChainsWithoutTheKey(t *testing.T) {
	key, mine := chain(t, 3)
	other, theirs := chain(t, 3)
	if err := key.Verify(theirs); !errors.Is(err, audit.ErrBroken) {
		t.Errorf("a chain under another key: %v", err)
	}
	forged, err := other.Link(&mine[2], audit.Entry{Actor: "operator", Action: "key promote"})
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Verify(append(mine, forged)); !errors.Is(err, audit.ErrBroken) || !strings.Contains(err.Error(), "entry 4") {
		t.Errorf("an entry under another key: %v", err)
	}
}

func TestKeysAreSecret(t *testing.T) {
	key := audit.NewKey()
	secret := key.Secret().Expose()
	if len(secret) != audit.KeyBytes || bytes.Equal(secret, audit.NewKey().Secret().Expose()) {
		t.Error("a key is short, or always the same")
	}
	sensitivetest.Hidden(t, secret, key)
	for _, n := range []int{0, 31, 33} {
		if _, err := audit.ReadKey(sensitive.New(make([]byte, n))); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}
