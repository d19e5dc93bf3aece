package storetest

import (
	"context"
	"testing"
	"time"

	"kmproxy/keys"
)

// patience bounds what the contract gives a second: machines under test are slow.
// A test that is to end soon has less of it.
func patience(t *testing.T) time.Duration {
	const most = 10 * time.Second
	if deadline, limited := t.Deadline(); limited {
		return min(most, time.Until(deadline)/2)
	}
	return most
}

// watchTells wants a send after each of several commits. A single send proves
// nothing: the first may come without a commit.
func watchTells(t *testing.T, a, b keys.Backend) {
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
	wait := patience(t)
	deadline := time.After(wait)
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
			t.Fatalf("revision %d was not told within %v", rev, wait)
		}
	}
}

func watchEnds(t *testing.T, a, b keys.Backend) {
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
	wait := patience(t)
	deadline := time.After(wait)
	for {
		select {
		case _, open := <-told:
			if !open {
				return
			}
		case <-deadline:
			t.Fatalf("the watch was not closed within %v after its context ended", wait)
		}
	}
}

func watchUnread(t *testing.T, a, b keys.Backend) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := b.Watch(ctx)
	done, wait := make(chan error, 1), patience(t)
	go func() { done <- commitMany(ctx, a, 20) }()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("commit: %v", err)
		}
	case <-time.After(wait):
		t.Fatalf("20 commits were not done within %v while nobody read the watch", wait)
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
