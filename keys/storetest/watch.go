package storetest

import (
	"context"
	"testing"
	"time"

	"kmproxy/keys"
)

// patience bounds what the contract gives a second: machines under test are slow.
const patience = 5 * time.Second

// watchTells wants a send after each of several commits. A single send proves
// nothing: the first may come without a commit.
func watchTells(t *testing.T, a, b keys.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mine, others := a.Watch(ctx), b.Watch(ctx)
	for n := range keys.Revision(3) {
		commit(t, a, n, set("a", number(n)))
		wantTold(t, a, mine, n+1)
		wantTold(t, b, others, n+1)
	}
}

// wantTold waits for a send after which Load gives the revision.
func wantTold(t *testing.T, s keys.Store, told <-chan struct{}, rev keys.Revision) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, open := <-told:
			if !open {
				t.Fatal("the watch was closed before its context ended")
			}
			if load(t, s).Revision >= rev {
				return
			}
		case <-deadline:
			t.Fatalf("revision %d was not told within %v", rev, patience)
		}
	}
}

func watchEnds(t *testing.T, a, b keys.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mine, others := a.Watch(ctx), b.Watch(ctx)
	commit(t, a, 0, set("a", `1`))
	cancel()
	wantClosed(t, mine)
	wantClosed(t, others)
	wantClosed(t, a.Watch(ctx)) // one that starts too late
}

func wantClosed(t *testing.T, told <-chan struct{}) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, open := <-told:
			if !open {
				return
			}
		case <-deadline:
			t.Fatalf("the watch was not closed within %v after its context ended", patience)
		}
	}
}

func watchUnread(t *testing.T, a, b keys.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := b.Watch(ctx)
	done := make(chan error, 1)
	go func() { done <- commitMany(ctx, a, 20) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("commit: %v", err)
		}
	case <-time.After(patience):
		t.Fatalf("20 commits were not done within %v while nobody read the watch", patience)
	}
	wantTold(t, b, told, 20)
}

func commitMany(ctx context.Context, s keys.Store, n keys.Revision) error {
	for base := range n {
		if _, err := s.Commit(ctx, base, set("a", number(base))); err != nil {
			return err
		}
	}
	return nil
}
