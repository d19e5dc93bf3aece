package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTwoWriters: two people give commands at the same time, on projects of their
// own and on one that they share, beside a proxy that serves. What was reported
// done is there at the end, and nothing else is.
func TestTwoWriters(t *testing.T) {
	length := 3 * time.Second
	if long() {
		length = 20 * time.Second
	}
	u := newUpstream(t)
	g := newGateway(t, u.URL, "[keys]\nmax_per_project = 4\n")
	p := newProvider(t, g, 1)
	g.start(t)
	calls := send(t, "beside", p.connect(t, g.roots(t)), 2)
	public := g.run(t, "key", "export", string(p.KeyID))["client_public_key"].(string)
	if err := os.WriteFile(filepath.Join(g.dir, "client.pem"), []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	g.run(t, "project", "create", "--asp-id", shared)
	before := len(g.run(t, "audit", "list")["entries"].([]any))

	writers := []*writer{{gateway: g, own: "A00000000000001"}, {gateway: g, own: "B00000000000001"}}
	var all sync.WaitGroup
	for i, w := range writers {
		w.random = rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano())))
		all.Go(func() {
			for end := time.Now().Add(length); time.Now().Before(end); {
				w.act(t)
			}
		})
	}
	all.Wait()
	answered := calls.end(t)
	g.wantTogether(t, writers, before)
	soon(t, "the proxy shows what is there", func() bool {
		return int(g.metric(t, "kmproxy_projects")) == len(g.run(t, "project", "list")["projects"].([]any))
	})
	g.stop(t)
	t.Logf("%d and %d commands done, %d and %d refused, %d calls answered", len(writers[0].did), len(writers[1].did), writers[0].refused, writers[1].refused, answered)
}

// shared is a project that both write.
const shared = "S00000000000001"

// writer is somebody who gives one command after the other.
type writer struct {
	gateway *gateway
	own     string
	random  *rand.Rand
	did     []string // what was reported done: command and target
	keys    []string
	refused int
}

// act gives a command by chance.
func (w *writer) act(t *testing.T) {
	asp := []string{w.own, shared}[w.random.IntN(2)]
	key := ""
	if len(w.keys) > 0 {
		key = w.keys[w.random.IntN(len(w.keys))]
	}
	switch n := w.random.IntN(12); {
	case n == 0:
		w.do(t, "project", "create", "--asp-id", asp)
	case n == 1:
		w.do(t, "project", []string{"suspend", "resume"}[w.random.IntN(2)], asp)
	case n == 2:
		w.do(t, "project", "rotate-secret", asp)
	case n < 6:
		w.do(t, "key", "create", "--asp-id", asp, "--client-public-key", "client.pem")
	case n == 6:
		w.do(t, "key", "rotate", "--asp-id", asp, "--client-public-key", "client.pem")
	case key == "":
	case n == 7:
		w.do(t, "key", "discard", key, "--force")
	default:
		w.do(t, "key", []string{"promote", "suspend", "resume"}[w.random.IntN(3)], key)
	}
}

// do wants a command to be done or refused with a reason.
func (w *writer) do(t *testing.T, args ...string) {
	cmd := w.gateway.command(t, append([]string{"--json"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	var doc map[string]any
	if wrong := json.Unmarshal(out.Bytes(), &doc); wrong != nil {
		t.Errorf("%q: %v, %v: %s", args, err, wrong, out.Bytes())
		return
	}
	if err != nil {
		w.refused++
		if reason, _ := doc["error"].(string); cmd.ProcessState.ExitCode() != 1 || reason == "" || strings.Contains(reason, "damaged") {
			t.Errorf("%q ended with %d: %s", args, cmd.ProcessState.ExitCode(), out.Bytes())
		}
		return
	}
	w.did = append(w.did, strings.Join(args[:2], " "))
	if id, made := doc["key_id"].(string); made && (args[1] == "create" || args[1] == "rotate") {
		w.keys = append(w.keys, id)
	}
}

// wantTogether compares what was reported with the audit record and the keys.
func (g *gateway) wantTogether(t *testing.T, writers []*writer, before int) {
	t.Helper()
	wanted, found := map[string]int{}, map[string]int{}
	for _, w := range writers {
		for _, what := range w.did {
			wanted[what]++
		}
	}
	for _, e := range g.run(t, "audit", "list")["entries"].([]any)[before:] {
		found[strings.TrimSuffix(e.(map[string]any)["action"].(string), " --force")]++
	}
	if fmt.Sprint(wanted) != fmt.Sprint(found) {
		t.Errorf("reported done: %v\naudited:       %v", wanted, found)
	}
	there := map[string]bool{}
	for _, p := range g.run(t, "project", "list")["projects"].([]any) {
		active, live := 0, 0
		for _, k := range p.(map[string]any)["keys"].([]any) {
			key := k.(map[string]any)
			there[key["key_id"].(string)] = true
			if key["state"] == "active" {
				active++
			}
			if key["state"] != "discarded" {
				live++
			}
		}
		if active > 1 || live > 4 {
			t.Errorf("project %v has %d active keys and %d that are not discarded", p.(map[string]any)["asp_id"], active, live)
		}
	}
	for _, w := range writers {
		for _, id := range w.keys {
			if !there[id] {
				t.Errorf("key %s was reported done and is not there", id)
			}
		}
		if len(w.did) == 0 || w.refused == 0 {
			t.Errorf("%d commands were done, %d refused", len(w.did), w.refused)
		}
	}
	if g.run(t, "audit", "verify")["ok"] != true {
		t.Error("the audit record does not hold")
	}
}
