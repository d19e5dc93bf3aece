package replay

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// TestStalledDisk: while one write hangs, others give up, are counted, and what comes
// later does not wait at all.
func TestStalledDisk(t *testing.T) {
	failures := make(chan error, 10)
	s := &segment{path: filepath.Join(t.TempDir(), "x"), failed: func(err error) { failures <- err }, writing: true} // a write that never ends
	s.append(record{at: 1, kind: claimed})
	if err := <-failures; !errors.Is(err, errStalled) {
		t.Errorf("got %v", err)
	}
	before := time.Now()
	const many = 1000
	for range many {
		s.append(record{at: 2, kind: claimed})
	}
	if time.Since(before) > many*patience/2 {
		t.Error("what came later waited")
	}
	if lost, err := s.trouble(); lost != 1+many || err == nil {
		t.Errorf("%d lost, %v", lost, err)
	}
}

// FuzzReadRecords: any bytes are read without a panic, and what was read is written
// the same.
func FuzzReadRecords(f *testing.F) {
	good := record{entry{ID{1, 2}, 3}, 4, claimed}.appendTo([]byte(header))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(record{entry{ID{5}, 6}, 7, released}.appendTo(good))
	f.Fuzz(func(t *testing.T, content []byte) {
		got := []byte(header)
		damaged, err := readRecords(bytes.NewReader(content), 10, func(r record) bool {
			got = r.appendTo(got)
			return true
		})
		if err == nil && damaged == 0 && len(got) > len(header) && !bytes.HasPrefix(content, got) {
			t.Errorf("read as %x", got)
		}
	})
}
