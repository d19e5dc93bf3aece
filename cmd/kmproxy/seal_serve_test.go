package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/crypto/envelope"
)

// TestServesWhileResealed: calls are answered before, during and after, and the
// proxy is ready all the time.
func TestServesWhileResealed(t *testing.T) {
	dir := t.TempDir()
	e := newEnv(nil, nil, io.Discard, io.Discard)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s, err := e.stage(ctx, dir, true)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() { ended <- s.gateway.Run(ctx) }()
	go func() { ended <- s.ars.Serve(ctx) }()

	var calls atomic.Int64
	var callers sync.WaitGroup
	calling, enough := context.WithCancel(ctx)
	for range 2 {
		callers.Go(func() {
			for calling.Err() == nil {
				if _, err := s.call(ctx); err != nil {
					t.Errorf("call %d: %v", calls.Load(), err)
					return
				}
				calls.Add(1)
				wantReady(t, s.config.Admin.Address)
			}
		})
	}
	more := func() {
		for want := calls.Load() + 5; calls.Load() < want && !t.Failed(); time.Sleep(time.Millisecond) {
		}
	}
	kmproxy := func(args ...string) int {
		return run(ctx, append([]string{"kmproxy", "--config", filepath.Join(dir, "config.toml")}, args...), nil, io.Discard, io.Discard)
	}
	more()
	current := s.config // the callers read s.config meanwhile
	for i := range 3 {
		to := config.Source{Kind: config.SourceFile, Path: filepath.Join(dir, fmt.Sprintf("%d.key", i))}
		if code := kmproxy("seal", "rotate", "--to", to.String()); code != exitDone {
			t.Fatalf("seal rotate ended with %d", code)
		}
		more()
		begun := current // as it was built: it wanted any free ports
		begun.Listen.Address, begun.Admin.Address = "127.0.0.1:0", "127.0.0.1:0"
		soon(t, "a config with the former key is refused", func() bool {
			return errors.Is(s.gateway.Reload(ctx, begun), envelope.ErrOtherKey)
		})
		current.MasterKey.Source, begun.MasterKey.Source = to, to
		if err := s.gateway.Reload(ctx, begun); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(current.Effective()), 0o600); err != nil {
			t.Fatal(err)
		}
		if code := kmproxy("project", "create", "--asp-id", fmt.Sprintf("B%014d", i)); code != exitDone {
			t.Fatalf("project create ended with %d", code)
		}
		soon(t, "the proxy follows again", func() bool { return s.gateway.Projects() == i+2 })
		more()
	}
	enough()
	callers.Wait()
	stop()
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// soon wants something to come true before patience ends.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came true: %s", what)
		}
	}
}

func wantReady(t *testing.T, admin string) {
	t.Helper()
	answer, err := http.Get("http://" + admin + "/readyz")
	if err != nil {
		t.Error(err)
		return
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the proxy is not ready: %s", answer.Status)
	}
}
