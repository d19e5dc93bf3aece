package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// content is the store's two files as they were once.
type content map[string][]byte

var storeFiles = []string{"log.jsonl", "head.json"}

func readStore(t *testing.T, data string) content {
	t.Helper()
	c := content{}
	for _, name := range storeFiles {
		b, err := os.ReadFile(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		c[name] = b
	}
	return c
}

func (c content) write(t *testing.T, data string) {
	t.Helper()
	for _, name := range storeFiles {
		path := filepath.Join(data, name)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if c[name] == nil {
			continue
		}
		if err := os.WriteFile(path+".new", c[name], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStoreTrouble: whatever happens to the store of a running gateway, keys in use
// stay in use, a suspended key stays refused, readiness says what is wrong, and the
// gateway follows the store again once it is back.
func TestStoreTrouble(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	good, suspended := newProvider(t, g, 1), newProvider(t, g, 2)
	g.start(t)
	good.connect(t, g.roots(t))
	suspended.connect(t, g.roots(t))
	data := filepath.Join(g.dir, "data")
	older := readStore(t, data)
	g.run(t, "key", "suspend", string(suspended.KeyID))
	soon(t, "the suspended key is refused", func() bool { return refusedWith(suspended.knock(t.Context(), "suspended"), http.StatusBadRequest) })
	newest := readStore(t, data)
	log := filepath.Join(data, "log.jsonl")
	for name, tt := range map[string]struct {
		says  string
		spoil func() error
	}{
		"folder gone":   {"gone", func() error { return os.Rename(data, data+".away") }},
		"emptied":       {"gone or empty", func() error { content{}.write(t, data); return nil }},
		"older":         {"older", func() error { older.write(t, data); return nil }},
		"another store": {"history", func() error { otherStore(t).write(t, data); return nil }},
		"grown":         {"log.jsonl", func() error { return os.Truncate(log, 200<<30) }},
		"a folder in place of the log": {"log.jsonl", func() error {
			return errors.Join(os.Remove(log), os.Mkdir(log, 0o700))
		}},
		"damaged within":          {"damaged", func() error { return flip(log) }},
		"a pipe in place of head": {"head.json", func() error { return pipeAt(filepath.Join(data, "head.json")) }},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tt.spoil(); err != nil {
				t.Fatal(err)
			}
			soon(t, "readiness names the trouble", func() bool { return g.readySaying(t, tt.says) })
			for range 3 {
				if err := good.ask(t.Context(), name); err != nil {
					t.Errorf("a key in use: %v", err)
				}
				if err := suspended.knock(t.Context(), name); !refusedWith(err, http.StatusBadRequest) {
					t.Errorf("a suspended key: %v", err)
				}
			}
			if used := g.memory(t) >> 10; used > 512 {
				t.Errorf("%d MiB are resident", used)
			}
			if _, err := os.Stat(data + ".away"); err == nil {
				if err := errors.Join(os.RemoveAll(data), os.Rename(data+".away", data)); err != nil {
					t.Fatal(err)
				}
			}
			newest.write(t, data)
			soon(t, "the store is followed again", func() bool { return g.readySaying(t, "ok\n") && !g.readySaying(t, "not followed") })
			if err := good.ask(t.Context(), name); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
	g.run(t, "key", "resume", string(suspended.KeyID))
	soon(t, "a change after all that is followed", func() bool { return suspended.ask(t.Context(), "resumed") == nil })
	g.stop(t)
}

// flip changes a bit in the middle of a file, as a failing disk would: its size and
// its time of modification stay.
func flip(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	at, b := info.Size()/2, make([]byte, 1)
	_, readErr := f.ReadAt(b, at)
	b[0] ^= 1
	_, writeErr := f.WriteAt(b, at)
	return errors.Join(readErr, writeErr, f.Close(), os.Chtimes(path, info.ModTime(), info.ModTime()))
}

// pipeAt puts a pipe, which nothing writes to, in the place of a file.
func pipeAt(path string) error { return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)) }

// otherStore is the content of a store that was never this one, of a higher revision.
func otherStore(t *testing.T) content {
	t.Helper()
	g := newGateway(t, "http://127.0.0.1:1", "")
	for n := range 6 {
		newProvider(t, g, n+1)
	}
	return readStore(t, filepath.Join(g.dir, "data"))
}

// readySaying reports whether /readyz says that; its status must be 200.
func (g *gateway) readySaying(t *testing.T, what string) bool {
	t.Helper()
	status, text := g.readiness(t)
	if status != http.StatusOK {
		t.Fatalf("readiness: status %d, %s", status, text)
	}
	return strings.Contains(text, what)
}
