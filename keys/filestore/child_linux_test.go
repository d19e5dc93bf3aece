package filestore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
	"kmproxy/keys/storetest"
)

// A child is this test binary again, as another process on the same store.
const (
	childEnv = "FILESTORE_CHILD" // what it does
	dirEnv   = "FILESTORE_DIR"   // with which store
)

func TestMain(m *testing.M) {
	acts := map[string]func(context.Context, *filestore.Store) error{
		"commit":         commitForever,
		"increment":      incrementOften,
		"read only":      useReadOnly,
		"full disk":      useFullDisk,
		"room for a log": useRoomForLog,
		"few files":      useFewFiles,
	}
	act, isChild := acts[os.Getenv(childEnv)]
	if !isChild {
		os.Exit(m.Run())
	}
	s, err := filestore.Open(os.Getenv(dirEnv))
	if err == nil {
		err = act(context.Background(), s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(t *testing.T, act, dir string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+act, dirEnv+"="+dir)
	return c
}

// wantChild wants the act to find nothing wrong.
func wantChild(t *testing.T, act, dir string) {
	t.Helper()
	if out, err := child(t, act, dir).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", act, err, out)
	}
}

const increments = 50

func incrementOften(ctx context.Context, s *filestore.Store) error {
	for range increments {
		if err := storetest.Increment(ctx, s, "counter"); err != nil {
			return err
		}
	}
	return nil
}

const childEntries = 5

// commitForever says "ready" and then prints each revision once it is committed.
func commitForever(ctx context.Context, s *filestore.Store) error {
	snap, err := s.Load(ctx)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for base := snap.Revision; ; fmt.Println(base) {
		if base, err = s.Commit(ctx, base, childCommit(base+1)...); err != nil {
			return err
		}
	}
}

// childCommit is what the child commits as this revision: one entry in turn, and
// one in every commit; a rewrite in every third.
func childCommit(rev keys.Revision) []keys.Change {
	value := fmt.Appendf(nil, `{"rev":%d,"pad":%q}`, rev, strings.Repeat("x", int(rev%7)*3000))
	return []keys.Change{
		{Name: fmt.Sprintf("turn/%d", rev%childEntries), Value: value, Erase: rev%3 == 0},
		{Name: "newest", Value: fmt.Append(nil, rev)},
	}
}

// childContent is the store after the child's first commits up to rev.
func childContent(rev keys.Revision) keys.Snapshot {
	snap := keys.Snapshot{Revision: rev, Entries: map[string]keys.Entry{}}
	for r := max(rev, childEntries) - childEntries + 1; r <= rev; r++ {
		for _, c := range childCommit(r) {
			snap.Entries[c.Name] = keys.Entry{Value: c.Value, Revision: r}
		}
	}
	return snap
}

// acknowledged reads what commitForever prints: nothing until it is ready.
type acknowledged struct {
	lines *bufio.Scanner
	last  keys.Revision
}

// next reads one line; the last one may be cut off by a kill.
func (a *acknowledged) next() bool {
	if !a.lines.Scan() {
		return false
	}
	_, _ = fmt.Sscan(a.lines.Text(), &a.last)
	return true
}
