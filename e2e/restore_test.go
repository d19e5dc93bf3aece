package e2e_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestRestoreUnderTraffic: a backup that is restored while a gateway runs is a change
// like any other: the gateway follows it, and the audit record goes on.
func TestRestoreUnderTraffic(t *testing.T) {
	g := newGateway(t, newUpstream(t).URL, "")
	good, suspended := newProvider(t, g, 1), newProvider(t, g, 2)
	g.start(t)
	good.connect(t, g.roots(t))
	suspended.connect(t, g.roots(t))
	g.run(t, "backup", "older")
	g.run(t, "key", "suspend", string(suspended.KeyID))
	late := newProvider(t, g, 3).connect(t, g.roots(t))
	soon(t, "what came after the backup is followed", func() bool {
		return late.ask(t.Context(), "late") == nil && refusedWith(suspended.knock(t.Context(), "off"), http.StatusBadRequest)
	})
	g.run(t, "backup", "newer")

	g.run(t, "restore", "--replace", "older")
	soon(t, "the key that was suspended since is active again", func() bool { return suspended.ask(t.Context(), "back") == nil })
	if err := late.knock(t.Context(), "gone"); !refusedWith(err, http.StatusUnauthorized) {
		t.Errorf("a project that was made since: %v", err)
	}
	wantOnTop(t, g, "restore")
	g.run(t, "restore", "--replace", "newer")
	soon(t, "the newer one is followed as well", func() bool { return late.ask(t.Context(), "there") == nil })
	wantOnTop(t, g, "restore")

	g.run(t, "backup", "newest")
	data := filepath.Join(g.dir, "data")
	for _, name := range storeFiles {
		if err := os.Remove(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	soon(t, "readiness names the trouble", func() bool { return g.readySaying(t, "gone") })
	g.run(t, "restore", "newest")
	soon(t, "an emptied folder that holds the same again is followed", func() bool { return !g.readySaying(t, "not followed") })
	g.run(t, "key", "resume", string(suspended.KeyID))
	soon(t, "and so is a change after it", func() bool {
		return errors.Join(suspended.ask(t.Context(), "resumed"), good.ask(t.Context(), "good")) == nil
	})
	g.stop(t)
}

// wantOnTop wants an audit record that holds and names an act and its actor last.
func wantOnTop(t *testing.T, g *gateway, action string) {
	t.Helper()
	n := g.run(t, "audit", "verify")["entries"].(float64)
	list := g.run(t, "audit", "list")["entries"].([]any)
	last := list[len(list)-1].(map[string]any)
	if last["seq"] != n || last["action"] != action || last["actor"] == "" {
		t.Errorf("the last of %v entries is %v", n, last)
	}
	if g.readySaying(t, "not followed") {
		t.Error("the store is not followed")
	}
}
