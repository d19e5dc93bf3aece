package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stalled is an input and output whose other end does nothing until it is closed.
type stalled chan struct{}

func (s stalled) Read([]byte) (int, error)    { <-s; return 0, io.EOF }
func (s stalled) Write(p []byte) (int, error) { <-s; return len(p), nil }

// TestStalledCommands: commands end when they are told to, whatever their input,
// output and errors do.
func TestStalledCommands(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	create := []string{"kmproxy", "--config", config, "project", "create", "--asp-id", "000000000000001"}
	if code := run(t.Context(), create, nil, io.Discard, io.Discard); code != exitDone {
		t.Fatal(code)
	}
	call := "call /a --data - --plain --asp-id 000000000000001 --secret-key 123456 --access-key " + strings.Repeat("a", 40)
	for _, command := range []string{
		"project list", "--json project list", "project show 000000000000002", "--json project show 000000000000002", "--json demo --once", "--json " + call,
	} {
		ctx, stop := context.WithCancel(t.Context())
		ended, stall := make(chan int, 1), make(stalled)
		args := append([]string{"kmproxy", "--config", config}, strings.Fields(command)...)
		go func() { ended <- run(ctx, args, stall, stall, stall) }()
		stop()
		select {
		case code := <-ended:
			if code != exitFailed {
				t.Errorf("%s: exit code %d", command, code)
			}
		case <-time.After(patience):
			t.Errorf("%s does not end", command)
		}
		close(stall)
	}
}

// TestStallingWaits: until then, what is written waits for its reader, and after it a
// reader that reads gets all.
func TestStallingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got strings.Builder
		stall, ended := make(stalled), make(chan struct{})
		e := &env{ended: ended}
		to := e.writer(io.MultiWriter(stall, &got))
		wrote := make(chan error, 1)
		text := strings.Repeat("x", 3*pieceBytes+1)
		go func() {
			_, err := io.WriteString(to, text)
			wrote <- err
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(wrote) > 0 {
			t.Fatal("it did not wait")
		}
		close(ended)
		close(stall)
		if err := <-wrote; err != nil || got.String() != text {
			t.Errorf("%d of %d bytes came: %v", got.Len(), len(text), err)
		}
	})
}
