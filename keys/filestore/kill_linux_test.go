package filestore_test

import (
	"bufio"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kmproxy/keys"
)

// TestKilledWriters kills a process that commits without pause, at any point of
// creating, appending and rewriting: what it was told is committed must be there,
// and of what it was not told, one whole commit at most.
func TestKilledWriters(t *testing.T) {
	const kills, killsPerStore = 50, 5
	var dir string
	var told keys.Revision
	interrupted := 0
	for i := range kills {
		if i%killsPerStore == 0 {
			dir, told = filepath.Join(t.TempDir(), strconv.Itoa(i)), 0
		}
		told = max(told, killOne(t, dir, time.Duration(rand.IntN(4000))*time.Microsecond))
		snap := load(t, open(t, dir))
		if snap.Revision < told || snap.Revision > told+1 {
			t.Fatalf("after kill %d the store is at revision %d, but %d was acknowledged", i, snap.Revision, told)
		}
		wantSame(t, snap, childContent(snap.Revision))
		if t.Failed() {
			t.Fatalf("after kill %d", i)
		}
		if found := read(t, dir); snap.Revision != told || len(found) > 2 {
			interrupted++
		}
		told = snap.Revision
	}
	t.Logf("%d of %d kills are seen to have fallen within a commit", interrupted, kills)
}

// killOne returns the last revision that the child was told before it was killed.
func killOne(t *testing.T, dir string, after time.Duration) keys.Revision {
	t.Helper()
	c := child(t, "commit", dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	told := acknowledged{lines: bufio.NewScanner(out)}
	if !told.next() {
		t.Fatal("the child did not start")
	}
	time.Sleep(after)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for told.next() {
	}
	if err := c.Wait(); err == nil || c.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return told.last
}
