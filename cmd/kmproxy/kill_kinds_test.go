package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kmproxy/crypto/jwk"
	"kmproxy/keys"
)

// killing is a command to be killed at.
type killing struct {
	name string
	// ready makes the command possible, and returns its arguments and what it
	// changes beside its one audit entry.
	ready func(*testing.T, *office) ([]string, world)
	// settle ends what a kill may leave to be gone on with; nil: nothing.
	settle func(*testing.T, *office, outcome)
}

// office is a store that commands are killed at.
type office struct {
	*killer
	master string // file of the master key
	count  int    // names what is made anew
}

var killings = []killing{
	{name: "project create", ready: func(_ *testing.T, o *office) ([]string, world) {
		id := o.next("B%014d")
		return []string{"project", "create", "--asp-id", id}, world{"project/" + id: "active", "access/" + id + "/new": "known"}
	}},
	{name: "project suspend", ready: func(t *testing.T, o *office) ([]string, world) { return o.turn(t, "suspend", "active", "suspended") }},
	{name: "project resume", ready: func(t *testing.T, o *office) ([]string, world) { return o.turn(t, "resume", "suspended", "active") }},
	{name: "project rotate-secret", ready: func(t *testing.T, o *office) ([]string, world) {
		p, _ := o.project(t, func(listed) bool { return true })
		return []string{"project", "rotate-secret", p.ASPID}, world{"access/" + p.ASPID + "/new": "known"}
	}},
	{name: "key create", ready: func(t *testing.T, o *office) ([]string, world) {
		p := o.roomy(t)
		return []string{"key", "create", "--asp-id", p.ASPID, "--out", "."}, world{"key/" + p.ASPID + "/new": p.joining()}
	}},
	{name: "key import", ready: imported},
	{name: "key promote", ready: func(t *testing.T, o *office) ([]string, world) {
		p, id := o.idle(t)
		return []string{"key", "promote", id}, p.drained().with(world{"key/" + p.ASPID + "/" + id: "active"})
	}},
	{name: "key suspend", ready: func(t *testing.T, o *office) ([]string, world) {
		p, id, _ := o.key(t, "active", "draining")
		return []string{"key", "suspend", id}, world{"key/" + p.ASPID + "/" + id: "suspended"}
	}},
	{name: "key resume", ready: func(t *testing.T, o *office) ([]string, world) {
		p, id := o.suspended(t)
		return []string{"key", "resume", id}, world{"key/" + p.ASPID + "/" + id: "draining"}
	}},
	{name: "key discard", ready: func(t *testing.T, o *office) ([]string, world) {
		p, id := o.idle(t)
		return []string{"key", "discard", id}, world{"key/" + p.ASPID + "/" + id: "discarded"}
	}},
	{name: "key discard --force", ready: func(t *testing.T, o *office) ([]string, world) {
		p, id := o.idle(t)
		return []string{"key", "discard", "--force", id}, world{"key/" + p.ASPID + "/" + id: "discarded"}
	}},
	{name: "key rotate", ready: func(t *testing.T, o *office) ([]string, world) {
		p := o.roomy(t)
		return []string{"key", "rotate", "--asp-id", p.ASPID, "--client-public-key", "client.pem"},
			p.drained().with(world{"key/" + p.ASPID + "/new": "active"})
	}},
	{name: "seal rotate", ready: func(_ *testing.T, o *office) ([]string, world) {
		return []string{"seal", "rotate", "--to", "file:" + o.nextKey()}, world{"audit": anyNumber}
	}, settle: finishSeal},
	{name: "restore", ready: func(t *testing.T, o *office) ([]string, world) {
		file, then := o.backup(t)
		o.source(t, o.next("empty-%d"), o.master)
		return []string{"restore", file}, then
	}},
	{name: "restore --replace", ready: func(t *testing.T, o *office) ([]string, world) {
		file, then := o.backup(t)
		delete(then, "audit") // it goes on
		id := o.next("B%014d")
		o.must(t, "project", "create", "--asp-id", id)
		for name := range o.look(t) {
			if strings.Contains(name, id) {
				then[name] = ""
			}
		}
		return []string{"restore", "--replace", file}, then
	}},
}

func (o *office) next(format string) string {
	o.count++
	return fmt.Sprintf(format, o.count)
}

// turn suspends or resumes a project.
func (o *office) turn(t *testing.T, act, from, to string) ([]string, world) {
	t.Helper()
	for {
		if p, ok := o.project(t, func(p listed) bool { return p.State == from }); ok {
			return []string{"project", act, p.ASPID}, world{"project/" + p.ASPID: to}
		}
		p, _ := o.project(t, func(listed) bool { return true })
		o.must(t, "project", "suspend", p.ASPID)
	}
}

// roomy is a project with room for a key.
func (o *office) roomy(t *testing.T) listed {
	t.Helper()
	if p, ok := o.project(t, func(p listed) bool { return p.live() == 1 }); ok {
		return p
	}
	p, id := o.idle(t)
	o.must(t, "key", "discard", id)
	p, _ = o.project(t, func(q listed) bool { return q.ASPID == p.ASPID })
	return p
}

// idle is a key that can be promoted, or discarded.
func (o *office) idle(t *testing.T) (listed, string) {
	t.Helper()
	if p, id, ok := o.key(t, "staged", "suspended"); ok {
		return p, id
	}
	return o.suspended(t)
}

func (o *office) suspended(t *testing.T) (listed, string) {
	t.Helper()
	p, id, ok := o.key(t, "suspended")
	if !ok {
		_, id, _ = o.key(t, "active", "draining")
		o.must(t, "key", "suspend", id)
		p, id, _ = o.key(t, "suspended")
	}
	return p, id
}

// joining is the state of a key that joins a project.
func (p listed) joining() string {
	if p.in("active") > 0 {
		return "staged"
	}
	return "active"
}

// drained is what becomes of the active key when another is promoted.
func (p listed) drained() world {
	change := world{}
	for _, k := range p.Keys {
		if k.State == "active" {
			change["key/"+p.ASPID+"/"+k.ID] = "draining"
		}
	}
	return change
}

func imported(t *testing.T, o *office) ([]string, world) {
	t.Helper()
	pair, err := jwk.Generate(newKeyBits)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwk.PrivatePEM(pair)
	if err == nil {
		err = os.WriteFile(filepath.Join(o.dir, "server.pem"), text.Expose(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, id := o.roomy(t), string(keys.NewKeyID())
	return []string{"key", "import", "--asp-id", p.ASPID, "--key-id", id, "--server-private-key", "server.pem", "--client-public-key", "client.pem"},
		world{"key/" + p.ASPID + "/" + id: p.joining()}
}

// backup writes one, and returns what it holds.
func (o *office) backup(t *testing.T) (string, world) {
	t.Helper()
	file := o.next("backup-%d")
	o.must(t, "backup", file)
	return file, o.look(t)
}

func (o *office) nextKey() string { return fmt.Sprintf("data/master-%d.key", o.count) }

// finishSeal goes on with a re-sealing that was begun, and names its key.
func finishSeal(t *testing.T, o *office, run outcome) {
	t.Helper()
	out, err := o.command("seal", "status").Output()
	switch {
	case err != nil && strings.Contains(string(out), "sealed under another master key"):
	case err != nil:
		t.Fatalf("seal status: %v\n%s", err, out)
	case !strings.Contains(string(out), `"in_progress"`):
		if run.report != nil {
			t.Fatalf("it was reported done, but it is not begun: %s", out)
		}
		return
	default:
		o.must(t, "seal", "rotate", "--to", "file:"+o.nextKey())
	}
	o.master = o.nextKey()
	o.count++
	o.source(t, "data", o.master)
}
