package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestKilled kills the built program at random moments while it makes projects
// and keys: the store always opens, and what was reported done is there.
func TestKilled(t *testing.T) {
	runs := 200
	if testing.Short() {
		runs = 20
	}
	k := newKiller(t)
	for i := range runs {
		kind := [...]string{"project", "key"}[i%2]
		out, done := k.run(t, kind, k.args(t, kind))
		if !done {
			k.killed[kind]++
		}
		if len(out) > 0 {
			k.reported[kind]++
			k.expect(t, out)
		}
		k.check(t)
	}
	for _, kind := range []string{"project", "key"} {
		t.Logf("%s create: %d runs, %d killed, %d reported done: none of those is lost", kind, runs/2, k.killed[kind], k.reported[kind])
		if k.killed[kind] == 0 || k.reported[kind] == 0 {
			t.Errorf("the moments for %s create are not spread well", kind)
		}
	}
}

// killer runs a program and ends it at random moments.
type killer struct {
	program string
	dir     string
	typical map[string]time.Duration // by kind: of a run that is left alone
	want    map[string]bool          // what was promised
	asps    int                      // projects that were asked for

	killed, reported map[string]int // by kind
}

func newKiller(t *testing.T) *killer {
	k := &killer{program: build(t), dir: t.TempDir(), typical: map[string]time.Duration{},
		want: map[string]bool{}, killed: map[string]int{}, reported: map[string]int{}}
	if err := os.WriteFile(filepath.Join(k.dir, "config.toml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k.must(t, "project", "create", "--asp-id", "000000000000000")
	id := k.must(t, "key", "create", "--asp-id", "000000000000000")
	pem := k.must(t, "key", "export", id["key_id"].(string))
	if err := os.WriteFile(filepath.Join(k.dir, "client.pem"), []byte(pem["client_public_key"].(string)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"project", "key"} {
		const rounds = 3
		start := time.Now()
		for range rounds {
			k.must(t, k.args(t, kind)...)
		}
		k.typical[kind] = time.Since(start) / rounds
	}
	return k
}

// args asks for a new project, or for a key of a project that has room for one.
func (k *killer) args(t *testing.T, kind string) []string {
	t.Helper()
	if kind == "key" {
		return []string{"key", "create", "--asp-id", k.roomy(t), "--client-public-key", "client.pem"}
	}
	k.asps++
	return []string{"project", "create", "--asp-id", "A" + strconv.Itoa(10000000000000+k.asps)}
}

// run starts the program and kills it at a random moment of a typical run. It
// returns what was reported on stdout, whole or nothing, and whether it ended by itself.
func (k *killer) run(t *testing.T, kind string, args []string) (out []byte, done bool) {
	t.Helper()
	cmd := k.command(args...)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close() // the child has it
	timer := time.AfterFunc(time.Duration(rand.Int64N(int64(k.typical[kind]*5/4))), func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	var doc json.RawMessage
	if json.NewDecoder(read).Decode(&doc) == nil {
		out = doc
	}
	_ = read.Close()
	done = cmd.Wait() == nil
	timer.Stop()
	return out, done
}

// expect remembers what a report promised.
func (k *killer) expect(t *testing.T, report []byte) {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(report, &doc); err != nil {
		t.Fatal(err)
	}
	if id, ok := doc["key_id"].(string); ok {
		k.want[id] = true
	} else {
		k.want[doc["asp_id"].(string)] = true
	}
}

// check opens the store and looks for everything that was promised.
func (k *killer) check(t *testing.T) {
	t.Helper()
	have := map[string]bool{}
	for _, p := range k.must(t, "project", "list")["projects"].([]any) {
		project := p.(map[string]any)
		have[project["asp_id"].(string)] = true
		active := 0
		for _, key := range project["keys"].([]any) {
			have[key.(map[string]any)["key_id"].(string)] = true
			if key.(map[string]any)["state"] == "active" {
				active++
			}
		}
		if active > 1 {
			t.Fatalf("project %s has %d active keys", project["asp_id"], active)
		}
	}
	for id := range k.want {
		if !have[id] {
			t.Fatalf("%s was reported done and is not there", id)
		}
	}
}

// roomy is a project with room for a key.
func (k *killer) roomy(t *testing.T) string {
	t.Helper()
	for _, p := range k.must(t, "project", "list")["projects"].([]any) {
		if project := p.(map[string]any); len(project["keys"].([]any)) < 2 {
			return project["asp_id"].(string)
		}
	}
	return k.must(t, k.args(t, "project")...)["asp_id"].(string)
}

func (k *killer) command(args ...string) *exec.Cmd {
	cmd := exec.Command(k.program, append([]string{"--json"}, args...)...)
	cmd.Dir = k.dir
	return cmd
}

// must runs the program to its end.
func (k *killer) must(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out, err := k.command(args...).Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	var doc map[string]any
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return doc
}
